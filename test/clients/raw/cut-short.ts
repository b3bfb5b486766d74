// Bodies that end too early, and error responses before a body.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Check } from "../harness.ts";
import { signRequest } from "./sign.ts";
import { assertAbsent, assertError, assertText, putText, type RawTools } from "./tools.ts";

const ANNOUNCED_BYTES = 1024 ** 2;
const LARGE_BYTES = 300 * 1024 ** 2;
/** The time limit of an error response that waits for no body, on a busy machine. */
const AT_ONCE_MS = 10_000;
/** Time in which a server notices that a connection is gone. */
const NOTICE_MS = 300;

export function cutShortChecks(tools: RawTools): Check[] {
  const { bucket, identity, sendPieces } = tools;
  const cut = (how: string, ending: "end" | "break"): Check => ({
    name: `a body cut short by ${how} stores nothing and leaves an old object as it was`,
    async run() {
      for (const old of [undefined, "the old one"]) {
        const target = `/${bucket}/cut-${ending}`;
        if (old !== undefined) await putText(tools, target, old);
        const framing = { "content-length": String(ANNOUNCED_BYTES) };
        const { head } = signRequest({ ...identity, method: "PUT", target }, framing);
        const answer = await sendPieces([head, Buffer.alloc(300_000, "x")], { ending });
        assert.ok(answer.status === 0 || answer.status === 400, `${answer.status} ${answer.body}`);
        await sleep(NOTICE_MS);
        if (old === undefined) await assertAbsent(tools, target);
        else await assertText(tools, target, old);
      }
    },
  });
  return [
    cut("the end of the connection", "end"),
    cut("a broken connection", "break"),
    {
      name: "a chunked body that breaks off in the middle stores nothing",
      async run() {
        const target = `/${bucket}/cut-chunked`;
        const { head } = signRequest(
          {
            ...identity,
            method: "PUT",
            target,
            payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            headers: {
              "content-encoding": "aws-chunked",
              "x-amz-decoded-content-length": "70000",
              "x-amz-trailer": "x-amz-checksum-crc32",
            },
          },
          { "transfer-encoding": "chunked" },
        );
        await sendPieces([head, "10000\r\n", Buffer.alloc(40_000, "x")], { ending: "end" });
        await sleep(NOTICE_MS);
        await assertAbsent(tools, target);
      },
    },
    ...earlyRefusals(tools),
  ];
}

function earlyRefusals({ bucket, identity, sendPieces }: RawTools): Check[] {
  const target = `/${bucket}/large`;
  const credentials = { ...identity.credentials, secretAccessKey: "wrong" };
  const framing = { "content-length": String(LARGE_BYTES) };
  return [
    {
      name: "a wrong signature over 300 MB with Expect: 100-continue is refused at once without 100 Continue",
      async run() {
        const { head } = signRequest(
          { ...identity, method: "PUT", target, credentials },
          { ...framing, expect: "100-continue" },
        );
        const answer = await sendPieces([head]);
        assertError(answer, 403, "SignatureDoesNotMatch");
        assert.equal(answer.isContinued, false);
        assert.ok(answer.waitedMs < AT_ONCE_MS, `${answer.waitedMs} ms`);
      },
    },
    {
      name: "a wrong signature is refused while the body is still awaited, without Expect as well",
      async run() {
        const { head } = signRequest({ ...identity, method: "PUT", target, credentials }, framing);
        const answer = await sendPieces([head, Buffer.alloc(65_536)]);
        assertError(answer, 403, "SignatureDoesNotMatch");
        assert.ok(answer.waitedMs < AT_ONCE_MS, `${answer.waitedMs} ms`);
      },
    },
    {
      name: "a failed precondition and a missing bucket are refused before the body",
      async run() {
        const expect = { ...framing, expect: "100-continue" };
        const unheld = signRequest({ ...identity, method: "PUT", target, headers: { "if-match": '"0123"' } }, expect);
        assertError(await sendPieces([unheld.head]), 404, "NoSuchKey");
        const absent = signRequest({ ...identity, method: "PUT", target: `/${bucket}-absent/k` }, expect);
        const answer = await sendPieces([absent.head]);
        assertError(answer, 404, "NoSuchBucket");
        assert.equal(answer.isContinued, false);
      },
    },
    {
      name: "a valid request with Expect: 100-continue gets 100 before it sends its body",
      async run() {
        const { head } = signRequest(
          { ...identity, method: "PUT", target: `/${bucket}/expected` },
          { "content-length": "4", expect: "100-continue" },
        );
        const answer = await sendPieces([head, "body"]);
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.isContinued, true);
      },
    },
  ];
}

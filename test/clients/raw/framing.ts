// Ambiguous or oversized request heads, which a proxy could parse differently from the server: they store nothing, and
// none stops the server.
import assert from "node:assert/strict";
import type { Check } from "../harness.ts";
import { signRequest } from "./sign.ts";
import { assertAbsent, assertText, putText, type RawTools } from "./tools.ts";

const LONG_HEADER_BYTES = 100_000;
const MANY_HEADERS = 3000;
const LONG_URL_BYTES = 40_000;

export function framingChecks(tools: RawTools): Check[] {
  return [
    ...(tools.endpoint.scheme === "http" ? continueChecks(tools) : []),
    ...lengthChecks(tools),
    ...sizeChecks(tools),
    ...targetChecks(tools),
  ];
}

/** `Expect: 100-continue`: a client that waits for 100 must not read it as a final status line. */
function continueChecks({ bucket, identity, sendPieces }: RawTools): Check[] {
  const target = `/${bucket}/expected`;
  const put = (framing: Readonly<Record<string, string>>): string =>
    signRequest({ ...identity, method: "PUT", target }, { ...framing, expect: "100-continue" }).head;
  const empty = put({ "content-length": "0" });
  const cases: readonly (readonly [what: string, pieces: readonly string[]])[] = [
    ["of a body of no bytes", [empty]],
    ["of a body of no bytes, in a head that comes in pieces", [empty.slice(0, 40), empty.slice(40, -2), "\r\n"]],
    ["without a length", [put({})]],
    ["of a body", [put({ "content-length": "4" }), "text"]],
    ["of a body in pieces", [put({ "content-length": "4" }), "te", "xt"]],
  ];
  return cases.map(([what, pieces]) => ({
    name: `a PUT ${what} that expects 100 Continue gets it before its answer`,
    async run() {
      const { status, isContinued, body } = await sendPieces(pieces);
      assert.equal(status, 200, body);
      assert.ok(isContinued);
    },
  }));
}

/** Bodies with an ambiguous end. */
function lengthChecks(tools: RawTools): Check[] {
  const { bucket, identity, sendPieces } = tools;
  const target = `/${bucket}/framed`;
  const chunked = "1\r\nx\r\n0\r\n\r\n";
  const framings: readonly (readonly [what: string, lines: string, body: string])[] = [
    ["a length beside chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", chunked],
    ["chunks beside a length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", chunked],
    ["two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n", "text!"],
    ["two lengths in one", "Content-Length: 4, 5\r\n", "text!"],
    ["a length with a sign", "Content-Length: +4\r\n", "text"],
    ["a negative length", "Content-Length: -4\r\n", "text"],
    ["a length with an exponent", "Content-Length: 1e3\r\n", "x".repeat(1000)],
    ["a length in hexadecimal", "Content-Length: 0x4\r\n", "text"],
    ["a length that no number holds", `Content-Length: ${"9".repeat(30)}\r\n`, "text"],
    ["a space before the colon of its encoding", "Transfer-Encoding : chunked\r\n", chunked],
    ["an unknown encoding", "Transfer-Encoding: xchunked\r\n", chunked],
    ["two encodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", chunked],
    ["a line that continues in the next", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n", chunked],
  ];
  return framings.map(([what, lines, body]) => ({
    name: `${what} stores nothing, and leaves an old object as it was`,
    async run() {
      await tools.send({ method: "DELETE", target });
      const { head } = signRequest({ ...identity, method: "PUT", target });
      const framed = head.replace(/\r\n\r\n$/, `\r\n${lines}\r\n`) + body;
      const refuse = async (): Promise<void> => {
        const answer = await sendPieces([framed], { ending: "end" });
        const isRefused = answer.status === 0 || answer.status === 501 || (answer.status >= 400 && answer.status < 500);
        assert.ok(isRefused, `${answer.status} ${answer.body}`);
      };
      await refuse();
      await assertAbsent(tools, target);
      await putText(tools, target, "the old one");
      await refuse();
      await assertText(tools, target, "the old one");
    },
  }));
}

/** Heads that are too long, or nearly. */
function sizeChecks(tools: RawTools): Check[] {
  const { bucket, identity, send, sendPieces } = tools;
  const stillServes = async (): Promise<void> => {
    const { status } = await send({ method: "GET", target: `/${bucket}?max-keys=1` });
    assert.equal(status, 200);
  };
  const get = (path: string, lines = ""): string => `GET ${path} HTTP/1.1\r\nHost: ${identity.host}\r\n${lines}\r\n`;
  const many = Array.from({ length: MANY_HEADERS }, (_, index) => `x-amz-meta-${index}: ${index}\r\n`).join("");
  const texts: readonly (readonly [what: string, text: string])[] = [
    ["a header of 100 KB", get(`/${bucket}`, `x-amz-meta-a: ${"a".repeat(LONG_HEADER_BYTES)}\r\n`)],
    ["a header of 1 MB", get(`/${bucket}`, `x-amz-meta-a: ${"a".repeat(10 * LONG_HEADER_BYTES)}\r\n`)],
    ["the name of a header of 100 KB", get(`/${bucket}`, `${"a".repeat(LONG_HEADER_BYTES)}: a\r\n`)],
    ["3000 headers", get(`/${bucket}`, many)],
    ["a URL of 40 KB", get(`/${bucket}/${"a".repeat(LONG_URL_BYTES)}`)],
    ["a query of 40 KB", get(`/${bucket}?prefix=${"a".repeat(LONG_URL_BYTES)}`)],
    ["an Authorization of 100 KB", get(`/${bucket}`, `Authorization: AWS4-HMAC-SHA256 ${"a=,".repeat(30_000)}\r\n`)],
  ];
  return texts.map(([what, text]) => ({
    name: `${what} is answered or cut off, and the server keeps running`,
    async run() {
      const { status, body } = await sendPieces([text], { ending: "end" });
      assert.ok(status < 500, `${status} ${body.slice(0, 200)}`);
      await stillServes();
    },
  }));
}

/** Requests that name another host than they are sent to: only the signed Host counts. */
function targetChecks({ bucket, identity, sendPieces }: RawTools): Check[] {
  const { head } = signRequest({ ...identity, method: "GET", target: `/${bucket}` });
  const texts: readonly (readonly [what: string, text: string])[] = [
    ["a second Host", head.replace(/\r\n\r\n$/, "\r\nHost: evil.example\r\n\r\n")],
    ["another Host, the real one being forwarded", forwarded(head, identity.host)],
    ["only a star as its target", head.replace(/^GET \S+/, "OPTIONS *")],
    ["an address as its target and as its Host", forwarded(head, identity.host).replace(" /", " http://evil.example/")],
  ];
  return [
    ...texts.map(([what, text]) => ({
      name: `a request with ${what} reaches nothing`,
      async run() {
        const { status, body } = await sendPieces([text], { ending: "end" });
        assert.ok(status === 0 || status === 501 || (status >= 400 && status < 500), `${status} ${body}`);
        assert.doesNotMatch(body, /<ListBucketResult/);
      },
    })),
    {
      // A server must take such a target (RFC 9112, 3.2.2); a proxy it is not.
      name: "a request with an address as its target goes nowhere but to the bucket that its path names",
      async run() {
        for (const address of ["169.254.169.254", "evil.example", `${bucket}.evil.example`]) {
          const { status, body } = await sendPieces([head.replace(" /", ` http://${address}/`)], { ending: "end" });
          assert.ok(status === 403 || (status === 200 && body.includes(`<Name>${bucket}</Name>`)), `${status} ${body}`);
        }
      },
    },
  ];
}

function forwarded(head: string, host: string): string {
  return head.replace(
    /\r\nhost: [^\r]*/i,
    `\r\nHost: evil.example\r\nX-Forwarded-Host: ${host}\r\nForwarded: host=${host}`,
  );
}

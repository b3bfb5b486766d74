// The AWS SDK for JavaScript: conditional reads and writes, alone and in races.
import assert from "node:assert/strict";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { Check } from "../harness.ts";
import { assertRefused, assertStatus, errorOf, type JavaScriptTools, putText } from "./tools.ts";

const RIVALS = 20;

export function conditionChecks(tools: JavaScriptTools): Check[] {
  const { client, bucket } = tools;
  const get = (input: object) => client.send(new GetObjectCommand({ Bucket: bucket, Key: "condition", ...input }));
  const head = (input: object) => client.send(new HeadObjectCommand({ Bucket: bucket, Key: "condition", ...input }));
  const put = (Key: string, input: object) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "x", ...input }));
  return [
    {
      name: "conditions of GET and HEAD answer 304 and 412",
      async run() {
        const etag = await putText(tools, "condition", "text");
        const past = new Date(Date.now() - 3_600_000);
        const soon = new Date(Date.now() + 1000);
        for (const read of [get, head]) {
          for (const holds of [{ IfMatch: etag }, { IfMatch: "*" }, { IfMatch: `"no", ${etag}` }]) await read(holds);
          for (const holds of [{ IfNoneMatch: '"no"' }, { IfModifiedSince: past }, { IfUnmodifiedSince: soon }]) {
            await read(holds);
          }
          await assertStatus(read({ IfNoneMatch: etag }), 304);
          await assertStatus(read({ IfNoneMatch: `W/${etag}` }), 304);
          await assertStatus(read({ IfNoneMatch: "*" }), 304);
          await assertStatus(read({ IfMatch: '"no"' }), 412);
          await assertStatus(read({ IfUnmodifiedSince: past }), 412);
        }
        const { LastModified } = await head({});
        await assertStatus(get({ IfModifiedSince: LastModified }), 304);
        await assertRefused(get({ IfMatch: '"no"' }), "PreconditionFailed", 412);
      },
    },
    {
      name: "If-None-Match: * puts only where there is no object",
      async run() {
        await put("once", { IfNoneMatch: "*" });
        await assertRefused(put("once", { IfNoneMatch: "*" }), "PreconditionFailed", 412);
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: "once" }));
        await put("once", { IfNoneMatch: "*" });
      },
    },
    {
      name: "a PUT with If-Match succeeds only if the current ETag matches",
      async run() {
        const etag = await putText(tools, "matched", "one");
        await assertRefused(put("matched", { IfMatch: '"0123"' }), "PreconditionFailed", 412);
        const { ETag } = await put("matched", { IfMatch: etag });
        await assertRefused(put("matched", { IfMatch: etag }), "PreconditionFailed", 412);
        await put("matched", { IfMatch: ETag?.replaceAll('"', "") });
        await assertRefused(put("matched-never", { IfMatch: etag }), "NoSuchKey", 404);
      },
    },
    {
      name: "If-None-Match with an ETag is refused on a put",
      run: () => assertRefused(put("condition", { IfNoneMatch: '"abc"' }), "InvalidRequest", 400),
    },
    {
      name: "exactly one of 20 concurrent PUTs with If-None-Match: * succeeds, and the others get 409 or 412",
      async run() {
        for (let round = 0; round < 5; round += 1) {
          const key = `race-${round}`;
          const attempts = Array.from({ length: RIVALS }, (_, rival) =>
            put(key, { Body: `rival ${rival}`, IfNoneMatch: "*" }).then(
              () => rival,
              (error: unknown) => error,
            ),
          );
          const outcomes = await Promise.all(attempts);
          const winners = outcomes.filter((outcome) => typeof outcome === "number");
          assert.equal(winners.length, 1, `round ${round} has ${winners.length} winners`);
          for (const outcome of outcomes) assertLost(outcome);
          const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          assert.equal(await Body?.transformToString(), `rival ${winners[0]}`);
        }
      },
    },
    {
      name: "20 workers that count up through If-Match lose no increment",
      async run() {
        await putText(tools, "counter", "0");
        await Promise.all(Array.from({ length: RIVALS }, () => increment(tools, "counter")));
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "counter" }));
        assert.equal(await Body?.transformToString(), String(RIVALS));
      },
    },
  ];
}

function assertLost(outcome: unknown): void {
  if (typeof outcome === "number") return;
  assert.ok(outcome instanceof S3ServiceException, String(outcome));
  assert.ok(["PreconditionFailed", "ConditionalRequestConflict"].includes(outcome.name), outcome.name);
  assert.equal(outcome.$metadata.httpStatusCode, outcome.name === "PreconditionFailed" ? 412 : 409);
}

async function increment({ client, bucket }: JavaScriptTools, key: string): Promise<void> {
  for (;;) {
    const { Body, ETag } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    const count = Number(await Body?.transformToString());
    const put = client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: String(count + 1), IfMatch: ETag }));
    const isDone = await put.then(
      () => true,
      () => false,
    );
    if (isDone) return;
    assertLost(await errorOf(put));
  }
}

// Responses to D1 failures: retryable or out of space, never an internal error.
import { describe, expect, it } from "vitest";

import { isDatabaseFull, isTransientError } from "../../src/state/d1/transient-errors.ts";
import { send } from "../support/client.ts";
import { md5Base64 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, withCoordinatorD1, ONE_SHARD, type BatchFault } from "../support/faults.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { createUpload, sendPart } from "../support/multipart.ts";
import { freshUserName, refuse } from "../support/query-api.ts";
import { expectNoTrace } from "../support/stored-state.ts";

const TRANSIENT = [
  "D1_ERROR: Network connection lost.",
  "D1_ERROR: D1 DB is overloaded. Requests queued for too long.",
  "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
  "D1_ERROR: D1 DB reset because its code was updated.",
  "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
  "D1_ERROR: Internal error in D1 DB storage caused object to be reset.",
  "D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.",
  "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
  "D1_ERROR: D1 DB's isolate exceeded its memory limit and was reset.",
  "D1_ERROR: D1 DB exceeded its CPU time limit and was reset.",
  "Durable Object exceeded its CPU time limit and was reset.",
  "Durable Object's isolate exceeded its memory limit and was reset.",
  "Durable Object is overloaded. Too many requests queued.",
  "put: We encountered an internal error. Please try again. (10001)",
];

const FULL = [
  "D1_ERROR: Exceeded maximum DB size",
  "D1_ERROR: Exceeded maximum account storage",
  "D1_ERROR: exceeded maximum size",
  "D1_ERROR: database or disk is full: SQLITE_FULL",
];

const OTHERS = [
  "D1_ERROR: no such table: objects: SQLITE_ERROR",
  "D1_ERROR: UNIQUE constraint failed: buckets.name: SQLITE_CONSTRAINT",
  "commit refused: head changed",
  "string or blob too big: SQLITE_TOOBIG",
];

it.each([
  ...TRANSIENT.map((message) => [message, true, false] as const),
  ...FULL.map((message) => [message, false, true] as const),
  ...OTHERS.map((message) => [message, false, false] as const),
])("%s is classified", (message, isTransient, isFull) => {
  for (const error of [new Error(message), new Error("failed", { cause: new Error(message) })]) {
    expect([isTransientError(error), isDatabaseFull(error)]).toEqual([isTransient, isFull]);
  }
});

/** Fails every batch that writes, and passes the others on. */
function failingWrites(message: string): BatchFault {
  return async (sql, deliver) => {
    if (sql.some((text) => /^\s*(?:INSERT|UPDATE|DELETE)/.test(text))) throw new Error(message);
    return deliver();
  };
}

/** Requests that write, each with its set-up. */
const WRITES: readonly (readonly [
  name: string,
  run: (bucket: string, uploadId: string, scope: object) => Promise<Response>,
])[] = [
  ["CreateBucket", (_bucket, _id, scope) => send("PUT", `/${freshBucketName()}`, {}, scope)],
  ["DeleteBucket", (_bucket, _id, scope) => freshBucket().then((name) => send("DELETE", `/${name}`, {}, scope))],
  ["PutBucketTagging", (bucket, _id, scope) => send("PUT", `/${bucket}?tagging`, tagging(), scope)],
  ["PutObjectTagging", (bucket, _id, scope) => send("PUT", `/${bucket}/k?tagging`, tagging(), scope)],
  ["CreateMultipartUpload", (bucket, _id, scope) => send("POST", `/${bucket}/new?uploads`, {}, scope)],
  ["UploadPart", (bucket, id, scope) => send("PUT", `/${bucket}/k?partNumber=1&uploadId=${id}`, { body: "x" }, scope)],
  ["AbortMultipartUpload", (bucket, id, scope) => send("DELETE", `/${bucket}/k?uploadId=${id}`, {}, scope)],
];

function tagging() {
  const body = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
  return { body, headers: { "content-md5": md5Base64(new TextEncoder().encode(body)) } };
}

async function bucketWithUpload(): Promise<[bucket: string, uploadId: string]> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "old" });
  return [bucket, await createUpload(bucket, "k")];
}

describe("when the database is full", () => {
  it.each(WRITES)("%s is rejected with its own error code and changes nothing", async (_name, run) => {
    const [bucket, uploadId] = await bucketWithUpload();
    const response = await run(bucket, uploadId, { DB: d1With(failingWrites(FULL[0] ?? "")) });
    expect(response.headers.get("retry-after")).toBeNull();
    await expectS3Error(response, { status: 507, code: "InsufficientStorage", message: /full/ });
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("old");
  });

  it.each([
    ["PutObject", "PUT", "k", { body: "new" }],
    ["CopyObject", "PUT", "copy", { headers: { "x-amz-copy-source": "" } }],
    ["DeleteObject", "DELETE", "k", {}],
  ] as const)("%s is rejected and leaves no blob behind", async (name, method, key, options) => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "old" });
    const headers = name === "CopyObject" ? { "x-amz-copy-source": `/${bucket}/k` } : {};
    await withCoordinatorD1(bucket, failingWrites(FULL[0] ?? ""), () =>
      expectNoTrace(bucket, async () => {
        const response = await send(method, `/${bucket}/${key}`, { ...options, headers }, ONE_SHARD);
        await expectS3Error(response, { status: 507, code: "InsufficientStorage" });
      }),
    );
  });

  it("objects can be read and listed", async () => {
    const [bucket] = await bucketWithUpload();
    const scope = { DB: d1With(failingWrites(FULL[0] ?? "")) };
    for (const target of [`/${bucket}/k`, `/${bucket}`, `/${bucket}?versions`, `/${bucket}?uploads`, "/"]) {
      const response = await send("GET", target, {}, scope);
      await response.arrayBuffer();
      expect(response.status, target).toBe(200);
    }
  });

  it("IAM returns the same error", async () => {
    const scope = { DB: d1With(failingWrites(FULL[0] ?? "")) };
    const parameters = { UserName: freshUserName() };
    await refuse("iam", "CreateUser", parameters, [507, "InsufficientStorage", "full"], { scope });
  });
});

describe("when the database was reset", () => {
  it.each(TRANSIENT.filter((message) => message.startsWith("D1_ERROR")))(
    "the response allows a retry: %s",
    async (message) => {
      const [bucket, uploadId] = await bucketWithUpload();
      const scope = { DB: d1With(failingWrites(message)) };
      const created = await send("PUT", `/${freshBucketName()}`, {}, scope);
      expect(created.headers.get("retry-after")).toBe("1");
      await expectS3Error(created, { status: 503, code: "SlowDown" });
      const part = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { body: "x" }, scope);
      expect(part.headers.get("retry-after")).toBe("1");
      expect(part.status).toBe(503);
      await part.arrayBuffer();
      const read = await send("GET", `/${bucket}/k`, {}, { DB: d1With(() => Promise.reject(new Error(message))) });
      await expectS3Error(read, { status: 503, code: "SlowDown" });
      expect((await sendPart(bucket, "k", uploadId, 1, "x")).status).toBe(200);
    },
  );
});

// Every stored object is encrypted, and responses for objects without a customer's key report it as S3's do.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { encryptionShownFor, shownEncryption } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";

const METHOD = "x-amz-server-side-encryption";

async function shown(method: string, target: string, options: SendOptions = {}): Promise<unknown> {
  const response = await send(method, target, options);
  expect(response.status).toBeLessThan(300);
  return shownEncryption(response);
}

describe.each([
  ["asked for", { [METHOD]: "AES256" }],
  ["not asked for", {}],
] as const)("encryption at rest, %s", (_what, headers) => {
  it("is reported by every operation that writes or reads an object", async () => {
    const bucket = await freshBucket();
    const expected = encryptionShownFor(undefined);
    expect(await shown("PUT", `/${bucket}/k`, { body: "x", headers })).toEqual(expected);
    expect(await shown("GET", `/${bucket}/k`)).toEqual(expected);
    expect(await shown("GET", `/${bucket}/k`, { headers: { range: "bytes=0-0" } })).toEqual(expected);
    expect(await shown("HEAD", `/${bucket}/k`)).toEqual(expected);
    const from = { ...headers, "x-amz-copy-source": `/${bucket}/k` };
    expect(await shown("PUT", `/${bucket}/copy`, { headers: from })).toEqual(expected);
    expect(await shown("POST", `/${bucket}/parts?uploads`, { headers })).toEqual(expected);
    const uploadId = await createUpload(bucket, "parts", headers);
    expect(await shown("PUT", `/${bucket}/parts?partNumber=2&uploadId=${uploadId}`, { body: "x" })).toEqual(expected);
    const copyFrom = { headers: { "x-amz-copy-source": `/${bucket}/k` } };
    expect(await shown("PUT", `/${bucket}/parts?partNumber=3&uploadId=${uploadId}`, copyFrom)).toEqual(expected);
    const part = await putPart(bucket, "parts", uploadId, 1, "x");
    expect(shownEncryption(await sendCompletion(bucket, "parts", uploadId, [part]))).toEqual(expected);
  });
});

describe("encryption at rest", () => {
  it("is reported by no other operation", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x" });
    expect(await shown("GET", `/${bucket}?list-type=2`)).toEqual({});
    expect(await shown("GET", `/${bucket}/k?tagging`)).toEqual({});
    expect(await shown("HEAD", `/${bucket}`)).toEqual({});
    const etag = (await send("HEAD", `/${bucket}/k`)).headers.get("etag") ?? "";
    const unchanged = await send("GET", `/${bucket}/k`, { headers: { "if-none-match": etag } });
    expect(unchanged.status).toBe(304);
    expect(shownEncryption(unchanged)).toEqual({});
    expect(shownEncryption(await send("GET", `/${bucket}/missing`))).toEqual({});
    expect(await shown("DELETE", `/${bucket}/k`)).toEqual({});
  });

  it.each(["aws:kms", "aws:kms:dsse"])("by %s is rejected by all writes and not ignored", async (method) => {
    const bucket = await freshBucket();
    const headers = { [METHOD]: method };
    const refusal = { status: 501, code: "NotImplemented", fields: { Header: METHOD } };
    await send("PUT", `/${bucket}/k`, { body: "x" });
    await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers }), refusal);
    await expectS3Error(await send("POST", `/${bucket}/k?uploads`, { headers }), refusal);
    const from = { ...headers, "x-amz-copy-source": `/${bucket}/k` };
    await expectS3Error(await send("PUT", `/${bucket}/copy`, { headers: from }), refusal);
  });
});

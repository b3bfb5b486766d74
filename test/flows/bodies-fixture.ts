// Forms of aws-chunked, a body in them, and assertions on what an upload stores.
import { expect } from "vitest";

import { chunkedUpload, cut, type ChunkedForm, type ChunkedOptions } from "../support/aws-chunked.ts";
import { deliver, send } from "../support/client.ts";
import { expectBytes, md5Hex, noise } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";

export const FORMS: readonly ChunkedForm[] = [
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
];

export const BODY = noise(100_000);
export const PIECES = cut(BODY, 16_384);
export const INCOMPLETE = { status: 400, code: "IncompleteBody" };

export async function expectStored(options: ChunkedOptions, body: Uint8Array = BODY): Promise<Response> {
  const bucket = await freshBucket();
  const response = await deliver(await chunkedUpload(`/${bucket}/k`, options));
  expect(await response.clone().text()).toBe("");
  expect(response.status).toBe(200);
  expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
  const stored = await send("GET", `/${bucket}/k`);
  expect(stored.headers.get("content-length")).toBe(String(body.length));
  expect(stored.headers.get("content-encoding")).toBeNull();
  await expectBytes(stored, body);
  expectNothingLeftOver(await storedStateOf(bucket));
  return response;
}

/** Asserts that an upload over an existing object is rejected and stores nothing. */
export async function expectRefused(options: ChunkedOptions, expected: ExpectedError): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "as it was" });
  await expectNoTrace(bucket, async () =>
    expectS3Error(await deliver(await chunkedUpload(`/${bucket}/k`, options)), expected),
  );
  await expectBytes(await send("GET", `/${bucket}/k`), "as it was");
}

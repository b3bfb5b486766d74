// Assertions on stored and rejected objects.
import { expect } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";

/** Asserts the response of a GET. */
export async function expectStored(bucket: string, key: string, expected: Uint8Array | string): Promise<void> {
  const response = await send("GET", `/${bucket}/${key}`);
  expect(response.status, key).toBe(200);
  await expectBytes(response, expected);
}

/** Asserts that a PUT is rejected and stores nothing, over an existing object and on a new key. */
export async function expectRefused(expected: ExpectedError, options: SendOptions): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { there: "as it was" });
  for (const key of ["there", "not-there"]) {
    await expectNoTrace(bucket, async () => expectS3Error(await send("PUT", `/${bucket}/${key}`, options), expected));
  }
  await expectStored(bucket, "there", "as it was");
}

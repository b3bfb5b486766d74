// Parts of a form, and assertions on stored and rejected forms.
import { expect } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { post, signPolicy, type FormPart } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";

export async function get(bucket: string, key: string): Promise<Response> {
  const response = await send("GET", `/${bucket}/${encodeURIComponent(key)}`);
  expect(response.status, key).toBe(200);
  return response;
}

/** The parts of a form that may put `key` with any fields of these prefixes. */
export function partsFor(bucket: string, key: string, file: FormPart, after: readonly FormPart[] = []): FormPart[] {
  const fields = { key, ...signPolicy([{ bucket }, ["starts-with", "$key", ""]]) };
  return [...Object.entries(fields), file, ...after];
}

/** Asserts that a form is rejected and stores nothing, over an existing object and on a new key. */
export async function expectRefused(
  expected: ExpectedError,
  fields: Readonly<Record<string, string>>,
  file: string | Uint8Array = "x",
  more: readonly unknown[] = [],
): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { there: "as it was" });
  for (const key of ["there", "not-there"]) {
    await expectNoTrace(bucket, async () =>
      expectS3Error(await post(bucket, { key, ...fields }, file, more), expected),
    );
  }
}

export const POLICY = "Invalid according to Policy: ";

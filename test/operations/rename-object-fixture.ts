// Renames, and buckets with objects to rename.
import { send, type SendOptions } from "../support/client.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { expectUntouched } from "../support/rows.ts";

type Headers = NonNullable<SendOptions["headers"]>;

export function rename(bucket: string, source: string, destination: string, headers: Headers = {}): Promise<Response> {
  const target = `/${bucket}/${encodeURIComponent(destination)}?renameObject`;
  return send("PUT", target, { headers: { "x-amz-rename-source": source, ...headers } });
}

/** A bucket with these texts under these keys. */
export async function bucketOf(objects: Readonly<Record<string, string>>): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  return bucket;
}

export async function keysOf(bucket: string): Promise<string[]> {
  return Object.keys((await storedStateOf(bucket)).objects);
}

export async function expectRefused(
  bucket: string,
  request: () => Promise<Response>,
  expected: ExpectedError,
): Promise<void> {
  await expectUntouched(bucket, async () => expectS3Error(await request(), expected));
}

export const FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT";

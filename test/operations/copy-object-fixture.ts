// Copies, and buckets with objects to copy.
import { collectGarbage as collector } from "../../src/jobs/collect-garbage.ts";
import { send, type SendOptions } from "../support/client.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { expectUntouched } from "../support/rows.ts";

type Headers = NonNullable<SendOptions["headers"]>;

export function copy(source: string, bucket: string, key: string, headers: Headers = {}): Promise<Response> {
  const target = `/${bucket}/${encodeURIComponent(key)}`;
  return send("PUT", target, { headers: { "x-amz-copy-source": source, ...headers } });
}

export async function bucketOf(objects: Readonly<Record<string, string>>): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  return bucket;
}

export async function expectRefused(
  bucket: string,
  request: () => Promise<Response>,
  expected: ExpectedError,
): Promise<void> {
  await expectUntouched(bucket, async () => expectS3Error(await request(), expected));
}

/** The headers of a HEAD that describe the object itself. */
export async function described(bucket: string, key: string): Promise<Record<string, string>> {
  const { headers } = await send("HEAD", `/${bucket}/${key}`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
  const ofRequest = new Set(["date", "x-amz-request-id", "x-amz-id-2", "server-timing", "last-modified"]);
  return Object.fromEntries(Array.from(headers).filter(([name]) => !ofRequest.has(name)));
}

/** Collects the garbage of all buckets, as if two days had passed. */
export async function collectGarbage(): Promise<void> {
  await runPass(collector, Date.now() + 48 * 3_600_000);
}

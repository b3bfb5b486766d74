// A bucket of 2,500 objects for every client to list, and its expected listings.
import { type S3Client, CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { encodeKey } from "./odd-keys.ts";

export const LISTING_BUCKET = "clients-listing";

const FLAT_KEYS = 2000;
const TREES = 300;
const PLAIN_KEYS = 200;
const PUTS_AT_ONCE = 16;

export const LISTING_KEYS: readonly string[] = [
  ...Array.from({ length: FLAT_KEYS }, (_, index) => `flat/${padded(index)}`),
  ...Array.from({ length: TREES }, (_, index) => `tree/${padded(index)}/leaf`),
  ...Array.from({ length: PLAIN_KEYS }, (_, index) => `wörds & "more"+=/${padded(index)} ü`),
].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** Makes the bucket. Each object's body is its key's percent-encoding. */
export async function makeListingBucket(client: S3Client): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: LISTING_BUCKET }));
  const waiting = [...LISTING_KEYS];
  const lane = async (): Promise<void> => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      await client.send(new PutObjectCommand({ Bucket: LISTING_BUCKET, Key: key, Body: encodeKey(key) }));
    }
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, lane));
}

function padded(index: number): string {
  return String(index).padStart(4, "0");
}

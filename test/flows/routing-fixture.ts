// A bucket for requests that are routed to every kind of resource.
import { freshBucket, putAll } from "../support/fresh-bucket.ts";

/** A bucket with one object, `k`. */
export async function bucketOfOne(): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "as it was" });
  return bucket;
}

// Changes single tags of a bucket without losing concurrent changes of its other tags.
import type { Context } from "../contract/context.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import { lookUpBucket, replaceTags, type Bucket } from "../state/metadata/buckets.ts";
import { parseTags, tagsJson } from "../protocol/core/stored-metadata.ts";

// More concurrent changes than this within one request mean contention.
const MAX_ATTEMPTS = 4;

/**
 * Replaces a bucket's tags with the result of `change`.
 * @throws S3Error NoSuchBucket when the bucket was deleted meanwhile, ServiceUnavailable, and what `change` throws
 */
export async function changeBucketTags(
  { database }: Context,
  bucket: Bucket,
  change: (tags: readonly Tag[]) => readonly Tag[],
): Promise<void> {
  let current: Bucket | undefined = bucket;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (current?.id !== bucket.id) throw new S3Error("NoSuchBucket", { BucketName: bucket.name });
    const { tags } = current.configurations;
    const changed = change(tags === null ? [] : parseTags(tags));
    const [outcome] = await database.batch([replaceTags(current, changed.length === 0 ? null : tagsJson(changed))]);
    if (outcome?.changes !== 0) return;
    current = (await database.look(lookUpBucket(bucket.name))).bucket;
  }
  throw new S3Error("ServiceUnavailable");
}

// Changes some of a bucket's tags and keeps the others, whoever else changes them at the same time.
import type { Context } from "../contract/context.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Tag } from "../protocol/core/tagging.ts";
import { lookUpBucket, replaceTags, type Bucket } from "../state/metadata/buckets.ts";
import { parseTags, tagsJson } from "../state/metadata/stored-metadata.ts";

// Tags that change as often as this under one request are being fought over.
const TURNS = 4;

/**
 * Replaces a bucket's tags by what `change` makes of them.
 * @throws S3Error NoSuchBucket where it is gone meanwhile, ServiceUnavailable, and what `change` throws
 */
export async function changeBucketTags(
  { database }: Context,
  bucket: Bucket,
  change: (tags: readonly Tag[]) => readonly Tag[],
): Promise<void> {
  let seen: Bucket | undefined = bucket;
  for (let turn = 0; turn < TURNS; turn += 1) {
    if (seen?.id !== bucket.id) throw new S3Error("NoSuchBucket", { BucketName: bucket.name });
    const { tags } = seen.configurations;
    const changed = change(tags === null ? [] : parseTags(tags));
    const [outcome] = await database.batch([replaceTags(seen, changed.length === 0 ? null : tagsJson(changed))]);
    if (outcome?.changes !== 0) return;
    seen = (await database.look(lookUpBucket(bucket.name))).bucket;
  }
  throw new S3Error("ServiceUnavailable");
}

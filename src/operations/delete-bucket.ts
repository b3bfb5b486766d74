// DeleteBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { commitBatch, unavailable, type CommitOutcome } from "../state/commit/commit.ts";
import { lookUpBoth, type Database } from "../state/d1/database.ts";
import { deleteLockRecords } from "../state/metadata/lock-records.ts";
import { deleteEmptyBucket, guardEmptyBucket, lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import { freeName } from "../state/writes/bucket-creation.ts";
import { recordBucketDeletion } from "../state/metadata/placements.ts";
import {
  abortUploads,
  lookUpUploadBatch,
  lookUpUploadBatchByName,
  type UploadBatch,
} from "../state/metadata/upload-batches.ts";

/** How many batches of uploads one request aborts before it returns SlowDown. */
const MAX_BATCHES = 200;

export const deleteBucket = defineOperation({
  name: "DeleteBucket",
  actions: ["s3:DeleteBucket"],
  route: { method: "DELETE", level: "bucket" },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBoth(lookUpBucket(bucketName), lookUpUploadBatchByName(bucketName)),

  async run(context, _input, { bucket, batch: first }) {
    const { database, databases, now } = context;
    let batch = first;
    for (let count = 0; count < MAX_BATCHES; count += 1) {
      const outcome = batch.hasMore
        ? await endOpenUploads(database, bucket, batch, now)
        : await deleteWithUploads(database, bucket, batch, now);
      if (outcome === "applied" && !batch.hasMore) {
        await freeName(databases, database, bucket);
        if (bucket.configurations.object_lock !== null) {
          context.waitUntil(deleteLockRecords(context.blobs, bucket.id).catch(() => undefined));
        }
        return;
      }
      // An upload has started since the lookup.
      const isUploadOpen = outcome === "source changed";
      if (outcome !== "applied" && !isUploadOpen) throw refusal(bucket, outcome);
      ({ batch } = await database.look(lookUpUploadBatch(bucket.id)));
    }
    const message = "Multipart uploads of the bucket are being ended. Please try again.";
    throw new S3Error("SlowDown", { BucketName: bucket.name }, message);
  },

  write: () => ({ status: 204, headers: {} }),
});

/** Aborts uploads only while the bucket has no versions, so that a refused deletion aborts none. */
function endOpenUploads(
  database: Database,
  bucket: Bucket,
  { uploads }: UploadBatch,
  now: number,
): Promise<CommitOutcome> {
  return commitBatch(database, [guardEmptyBucket(bucket), ...abortUploads(uploads, now)], async () => {
    const { batch } = await database.look(lookUpUploadBatch(bucket.id));
    return !batch.uploads.some(({ uploadId }) => uploads.some((ended) => ended.uploadId === uploadId));
  });
}

/** The batch that deletes the bucket checks that it is empty: a PUT commits before it or finds the bucket missing. */
function deleteWithUploads(
  database: Database,
  bucket: Bucket,
  { uploads }: UploadBatch,
  now: number,
): Promise<CommitOutcome> {
  const record = database.isFirst ? [] : [recordBucketDeletion(bucket, now)];
  const statements = [...abortUploads(uploads, now), ...deleteEmptyBucket(bucket), ...record];
  return commitBatch(database, statements, async () => {
    const { bucket: remaining } = await database.look(lookUpBucket(bucket.name));
    return remaining?.id !== bucket.id;
  });
}

function refusal(bucket: Bucket, outcome: CommitOutcome): S3Error {
  const fields = { BucketName: bucket.name };
  if (outcome === "bucket has snapshots") {
    const message = "The bucket you tried to delete has snapshots. You must delete them first.";
    return new S3Error("BucketNotEmpty", fields, message);
  }
  if (outcome !== "bucket not empty") return new S3Error(unavailable(outcome));
  const message =
    bucket.versioning === null
      ? "The bucket you tried to delete is not empty"
      : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
  return new S3Error("BucketNotEmpty", fields, message);
}

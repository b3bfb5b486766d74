// DeleteBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { commitBatch } from "../state/commit/commit.ts";
import { deleteEmptyBucket, lookUpBucket } from "../state/metadata/buckets.ts";

export const deleteBucket = defineOperation({
  name: "DeleteBucket",
  actions: ["s3:DeleteBucket"],
  route: { method: "DELETE", level: "bucket" },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run({ database, now }, _input, { bucket }) {
    // Emptiness is judged in the batch that deletes: a PUT either comes before it, or finds its bucket gone.
    const outcome = await commitBatch(database, deleteEmptyBucket(bucket, now), async () => {
      const { bucket: remaining } = await database.look(lookUpBucket(bucket.name));
      return remaining?.id !== bucket.id;
    });
    if (outcome === "applied") return;
    if (outcome === "bucket has snapshots") {
      const message = "The bucket you tried to delete has snapshots. You must delete them first.";
      throw new S3Error("BucketNotEmpty", { BucketName: bucket.name }, message);
    }
    if (outcome !== "bucket not empty") throw new S3Error("ServiceUnavailable");
    const message =
      bucket.versioning === null
        ? "The bucket you tried to delete is not empty"
        : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.";
    throw new S3Error("BucketNotEmpty", { BucketName: bucket.name }, message);
  },

  write: () => ({ status: 204, headers: {} }),
});

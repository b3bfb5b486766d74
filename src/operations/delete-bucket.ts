// DeleteBucket: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
import { defineOperation } from "../contract/operation.ts";
import { addressedBucket } from "../protocol/addressing.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { deleteEmptyBucket, lookUpBucket } from "../state/buckets.ts";

export const deleteBucket = defineOperation({
  name: "DeleteBucket",
  action: "s3:DeleteBucket",
  route: { method: "DELETE", level: "bucket" },
  read: (request) => ({ bucketName: addressedBucket(request.address) }),
  lookUp: ({ bucketName }) => lookUpBucket(bucketName),

  async run(context, _input, { bucket }) {
    // Emptiness is judged by the statement that deletes: a PUT either comes before it, or finds its bucket gone.
    const { remaining } = await context.database.look(deleteEmptyBucket(bucket));
    if (remaining !== undefined) throw new S3Error("BucketNotEmpty", { BucketName: bucket.name });
  },

  write: () => ({ status: 204, headers: {} }),
});

// AbortMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
import { defineOperation } from "../contract/operation.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { conditionDate, preconditionFailed } from "../protocol/objects/conditions.ts";
import { readUploadId } from "../protocol/objects/multipart.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { commitBatch, unavailable } from "../state/commit/commit.ts";
import { closeUpload, guardUpload, lookUpUpload } from "../state/metadata/uploads.ts";

export const abortMultipartUpload = defineOperation({
  name: "AbortMultipartUpload",
  actions: ["s3:AbortMultipartUpload"],
  route: { method: "DELETE", level: "object", query: ["uploadId"] },
  inputs: { headers: ["x-amz-if-match-initiated-time"] },

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    const ifInitiatedAt = conditionDate(request, "x-amz-if-match-initiated-time");
    return { bucketName: bucket, key, uploadId: readUploadId(request.query), ifInitiatedAt };
  },

  lookUp: ({ bucketName, key, uploadId }) => lookUpUpload(bucketName, key, uploadId),

  async run({ database, now }, { bucketName, key, uploadId, ifInitiatedAt }, { bucket, upload }) {
    if (upload === undefined) throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    if (ifInitiatedAt !== undefined && Math.floor(upload.initiatedAt / 1000) * 1000 !== ifInitiatedAt) {
      throw preconditionFailed("x-amz-if-match-initiated-time");
    }
    const outcome = await commitBatch(
      database,
      [guardUpload(bucket.id, upload, undefined), ...closeUpload(bucket.id, upload, [], now)],
      async () => (await database.look(lookUpUpload(bucketName, key, uploadId))).upload === undefined,
    );
    if (outcome === "upload gone") throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    if (outcome !== "applied") throw new S3Error(unavailable(outcome));
  },

  write: () => ({ status: 204, headers: {} }),
});

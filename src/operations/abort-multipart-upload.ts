// AbortMultipartUpload: https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
import { defineOperation } from "../contract/operation.ts";
import { addressedObject } from "../protocol/addressing.ts";
import { readUploadId } from "../protocol/multipart.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { commitBatch } from "../state/commit.ts";
import { endUpload, guardUpload, lookUpUpload } from "../state/uploads.ts";

export const abortMultipartUpload = defineOperation({
  name: "AbortMultipartUpload",
  actions: ["s3:AbortMultipartUpload"],
  route: { method: "DELETE", level: "object", query: ["uploadId"] },

  read(request) {
    const { bucket, key } = addressedObject(request.address);
    return { bucketName: bucket, key, uploadId: readUploadId(request.query) };
  },

  lookUp: ({ bucketName, key, uploadId }) => lookUpUpload(bucketName, key, uploadId),

  async run({ database, now }, { bucketName, key, uploadId }, { bucket, upload }) {
    if (upload === undefined) throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    const outcome = await commitBatch(
      database,
      [guardUpload(bucket.id, upload, undefined), ...endUpload(bucket.id, upload, [], now)],
      async () => (await database.look(lookUpUpload(bucketName, key, uploadId))).upload === undefined,
    );
    if (outcome === "upload gone") throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    if (outcome !== "applied") throw new S3Error("ServiceUnavailable");
  },

  write: () => ({ status: 204, headers: {} }),
});

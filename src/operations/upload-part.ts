// UploadPart: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
import { keysOfUpload } from "../auth/access/object-keys.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { defineOperation } from "../contract/operation.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import { checksumHeader, DEFAULT_ALGORITHM, readChecksums } from "../protocol/core/checksums.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { blobStorageClass } from "../protocol/lifecycle/lifecycle.ts";
import { PART_MAX_BYTES } from "../protocol/objects/multipart.ts";
import { NO_COPY, NO_RENAME, joinInputs, DIGESTS, CUSTOMER_KEY } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { unavailable } from "../state/commit/commit.ts";
import { checkPartUpload, readPartInput } from "../uploads/part-input.ts";
import { commitPart } from "../state/writes/part-commit.ts";
import { storeBody } from "../state/blobs/store-body.ts";
import { lookUpUpload } from "../state/metadata/uploads.ts";

export const uploadPart = defineOperation({
  name: "UploadPart",
  actions: ["s3:PutObject"],
  route: { method: "PUT", level: "object", query: ["uploadId"] },
  createsObject: false,
  inputs: joinInputs(DIGESTS, CUSTOMER_KEY, NO_COPY, NO_RENAME, { query: ["partNumber"], body: "object" }),

  read: readPartInput,
  lookUp: ({ bucketName, key, uploadId }) => lookUpUpload(bucketName, key, uploadId),
  conditionKeys: (_input, { upload }) => keysOfUpload(upload),

  async run(context, input, facts) {
    const { key, uploadId, partNumber, customerKey } = input;
    const { bucket } = facts;
    const upload = await checkPartUpload(bucket, facts.upload, input);
    const body = context.openBody();
    const announced = readChecksums(context.request, body.trailerNames);
    if (body.length > PART_MAX_BYTES) {
      throw new S3Error("EntityTooLarge", { ProposedSize: body.length, MaxSizeAllowed: PART_MAX_BYTES });
    }
    const wanted = upload.checksumAlgorithm ?? DEFAULT_ALGORITHM;
    if (upload.checksumAlgorithm !== undefined && announced.algorithm !== undefined && announced.algorithm !== wanted) {
      throw new S3Error(
        "InvalidRequest",
        {},
        `Checksum Type mismatch occurred, expected checksum Type: ${wanted.toLowerCase()}, actual checksum Type: ${announced.algorithm.toLowerCase()}`,
      );
    }
    const blobId = `${bucket.id}/${timeOrderedId(context.now)}`;
    const certificate = recoveryMetadata({
      bucketId: bucket.id,
      bucketName: bucket.name,
      key,
      uploadId,
      partNumber,
      metadata: upload,
      tags: upload.tags,
      encryption: upload.encryption,
    });
    const destination = {
      blobId,
      recoveryMetadata: certificate,
      blobStorageClass: blobStorageClass(upload.storageClass),
      customerKey,
      encryption: upload.encryption,
    };
    const stored = await storeBody(context.blobs, destination, body, announced, wanted);
    const { etag } = stored;
    const outcome = await commitPart(context.database, bucket, upload, {
      partNumber,
      referenceId: blobId,
      slices: [{ blobId, offset: 0, length: stored.size }],
      isWholeBlob: true,
      size: stored.size,
      etag,
      checksumAlgorithm: wanted,
      checksum: stored.checksum.value,
      modifiedAt: context.now,
    });
    if (outcome === "upload gone") {
      // The upload ended while the part was on its way: its blob is nobody's, and now never can be somebody's.
      context.waitUntil(context.blobs.delete([blobId]));
      throw new S3Error("NoSuchUpload", { UploadId: uploadId });
    }
    if (outcome !== "applied") throw new S3Error(unavailable(outcome));
    // Clients list the checksums of parts when they complete only if they were told them here.
    return { etag, checksum: { header: checksumHeader(wanted), value: stored.checksum.value } };
  },

  write: ({ etag, checksum }, { customerKey }) => ({
    status: 200,
    headers: { etag: quoteEtag(etag), [checksum.header]: checksum.value, ...encryptionHeaders(customerKey) },
  }),
});

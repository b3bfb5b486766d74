// UploadPart: https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
import { keysOfUpload } from "../auth/access/object-keys.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import { lockRecord } from "../protocol/objects/object-lock-configuration.ts";
import { recoveryMetadata } from "../protocol/objects/recovery-metadata.ts";
import {
  checksumHeader,
  DEFAULT_ALGORITHM,
  readChecksums,
  type ChecksumAlgorithm,
  type ChecksumAnnouncement,
} from "../protocol/core/checksums.ts";
import { encryptionHeaders } from "../protocol/objects/customer-encryption.ts";
import { quoteEtag } from "../protocol/core/etag.ts";
import { blobStorageClass } from "../protocol/lifecycle/blob-storage-class.ts";
import { PART_MAX_BYTES } from "../protocol/objects/multipart.ts";
import type { IncomingBody } from "../protocol/core/incoming-body.ts";
import { NO_COPY, NO_RENAME, joinInputs, DIGESTS, CUSTOMER_KEY } from "../protocol/core/operation-inputs.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { unavailable } from "../state/commit/commit.ts";
import { checkPartUpload, readPartInput, type PartInput, storedPartChecksum } from "../uploads/part-input.ts";
import { commitPart } from "../state/writes/part-commit.ts";
import { storeBody, type BodyDestination } from "../state/blobs/store-body.ts";
import { lookUpUpload, type Upload } from "../state/metadata/uploads.ts";

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
    const { bucket } = facts;
    const upload = await checkPartUpload(bucket, facts.upload, input);
    const body = context.openBody();
    const announced = readChecksums(context.request, body.trailerNames);
    const algorithm = checkPartBody(upload, body, announced);
    const destination = partDestination(context, bucket, upload, input);
    const { blobId } = destination;
    const { size, etag, checksum } = await storeBody(context.blobs, destination, body, announced, algorithm);
    const outcome = await commitPart(context.database, bucket, upload, {
      partNumber: input.partNumber,
      referenceId: blobId,
      slices: [{ blobId, offset: 0, length: size }],
      isWholeBlob: true,
      size,
      etag,
      checksumAlgorithm: algorithm,
      checksum: await storedPartChecksum(upload, input.customerKey, checksum.value),
      modifiedAt: context.now,
    });
    if (outcome === "upload gone") {
      // The upload was closed meanwhile, so no row references the blob and none ever will.
      context.waitUntil(context.blobs.delete([blobId]));
      throw new S3Error("NoSuchUpload", { UploadId: input.uploadId });
    }
    if (outcome !== "applied") throw new S3Error(unavailable(outcome));
    // Clients list the checksums of parts in a completion only if UploadPart returned them.
    return { etag, checksum: { header: checksumHeader(algorithm), value: checksum.value } };
  },

  write: ({ etag, checksum }, { customerKey }) => ({
    status: 200,
    headers: { etag: quoteEtag(etag), [checksum.header]: checksum.value, ...encryptionHeaders(customerKey) },
  }),
});

/**
 * Checks the body's length and its announced checksum algorithm. Returns the part's algorithm.
 * @throws S3Error EntityTooLarge, InvalidRequest for another algorithm than the upload's
 */
function checkPartBody(upload: Upload, { length }: IncomingBody, announced: ChecksumAnnouncement): ChecksumAlgorithm {
  if (length > PART_MAX_BYTES) {
    throw new S3Error("EntityTooLarge", { ProposedSize: length, MaxSizeAllowed: PART_MAX_BYTES });
  }
  const expected = upload.checksumAlgorithm;
  const actual = announced.algorithm;
  if (expected === undefined || actual === undefined || actual === expected) return expected ?? DEFAULT_ALGORITHM;
  throw new S3Error(
    "InvalidRequest",
    {},
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual.toLowerCase()}`,
  );
}

function partDestination(
  { now }: Context,
  bucket: Bucket,
  upload: Upload,
  { key, uploadId, partNumber, customerKey }: PartInput,
): BodyDestination {
  const { tags, encryption, storageClass } = upload;
  const lock = lockRecord(upload, bucket.configurations.object_lock);
  const address = { bucketId: bucket.id, bucketName: bucket.name, key, uploadId, partNumber };
  return {
    blobId: `${bucket.id}/${timeOrderedId(now)}`,
    recoveryMetadata: recoveryMetadata({ ...address, metadata: upload, tags, encryption, lock }),
    blobStorageClass: blobStorageClass(storageClass),
    customerKey,
    encryption,
  };
}

// Reads the input that UploadPart and UploadPartCopy share, and checks that the upload accepts the part.
import type { Settings } from "../config/settings.ts";
import { addressedObject } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { refuseBlockedKey } from "../protocol/buckets/bucket-encryption.ts";
import { checkPartKey, readCustomerKey, type CustomerKey } from "../protocol/objects/customer-encryption.ts";
import { readPartNumber, readUploadId } from "../protocol/objects/multipart.ts";
import { ChecksumSealer } from "../protocol/objects/sealed-checksums.ts";
import { refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Upload } from "../state/metadata/uploads.ts";

/** The part that a request addresses. */
export interface PartInput {
  readonly bucketName: string;
  readonly key: string;
  readonly partNumber: number;
  readonly uploadId: string;
  readonly customerKey: CustomerKey | undefined;
}

/** @throws S3Error NotImplemented, InvalidArgument, InvalidRequest */
export async function readPartInput(request: S3Request, { customerKeysOverHttp }: Settings): Promise<PartInput> {
  const { bucket, key } = addressedObject(request.address);
  refuseUnsupportedHeaders(request);
  return {
    bucketName: bucket,
    key,
    partNumber: readPartNumber(request.query),
    uploadId: readUploadId(request.query),
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
  };
}

/**
 * Returns the open upload of a part after checking the part's customer key against the upload's.
 * @throws S3Error NoSuchUpload, AccessDenied when the bucket blocks customer keys, InvalidRequest for another key
 */
export async function checkPartUpload(
  bucket: Bucket,
  upload: Upload | undefined,
  { uploadId, customerKey }: PartInput,
): Promise<Upload> {
  if (upload === undefined) throw new S3Error("NoSuchUpload", { UploadId: uploadId });
  refuseBlockedKey(bucket.configurations.encryption, customerKey);
  await checkPartKey(upload.encryption, customerKey);
  return upload;
}

/** The stored form of a part's checksum. */
export async function storedPartChecksum<Checksum extends string | undefined>(
  { encryption }: Upload,
  customerKey: CustomerKey | undefined,
  checksum: Checksum,
): Promise<Checksum | string> {
  return encryption === undefined || customerKey === undefined || checksum === undefined
    ? checksum
    : new ChecksumSealer(customerKey).seal(checksum, encryption);
}

// Appends: PutObject with `x-amz-write-offset-bytes`, as directory buckets have it. Reads the offset, refuses what an
// append cannot change, and decides which of the object's last parts are merged with the appended bytes.
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";
import type { ChecksumAlgorithm } from "../core/checksums.ts";
import { checkReadKey, type CustomerKey, type NewEncryption } from "./customer-encryption.ts";
import { PART_MAX_NUMBER } from "./multipart.ts";
import type { StoredObject } from "./stored-object.ts";

export const WRITE_OFFSET_HEADER = "x-amz-write-offset-bytes";

/**
 * Reads the offset at which a PutObject appends; undefined for one that stores a whole object.
 * @throws S3Error InvalidArgument
 */
export function readWriteOffset(request: S3Request): number | undefined {
  const text = requestHeader(request, WRITE_OFFSET_HEADER);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text.trim())) return Number(text);
  throw invalidArgument(WRITE_OFFSET_HEADER, text, "The write offset must be a number of bytes");
}

/** The metadata that an append may only repeat. Content-Type is left out: clients send one with every body. */
const REPEATABLE: readonly string[] = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "expires",
  "x-amz-website-redirect-location",
];

/** The properties that an append requests. */
export type RequestedProperties = Pick<
  StoredObject,
  "systemMetadata" | "userMetadata" | "storageClass" | "tags" | "acl"
>;

/**
 * Refuses an append that would change more than the bytes: ignoring a property would store another object than requested.
 * @throws S3Error InvalidRequest
 */
export function refuseOtherProperties(request: S3Request, requested: RequestedProperties, object: StoredObject): void {
  if (Object.keys(requested.userMetadata).length > 0) throw cannotSpecify("user-defined object metadata");
  if (requested.tags.length > 0) throw cannotSpecify("tags");
  if (requested.acl !== undefined) throw cannotSpecify("an access control list");
  const changed = REPEATABLE.find((header) => {
    const value = requested.systemMetadata[header];
    return value !== undefined && value !== object.systemMetadata[header];
  });
  if (changed !== undefined) throw cannotSpecify(`another ${changed}`);
  if (requestHeader(request, "x-amz-storage-class") !== undefined && requested.storageClass !== object.storageClass) {
    throw cannotSpecify("another storage class");
  }
}

function cannotSpecify(property: string): S3Error {
  return invalid(`Cannot specify both a write offset value and ${property} for existing objects.`);
}

/** @throws S3Error InvalidRequest */
export function refuseEmptyAppend(length: number): void {
  if (length === 0) throw invalid("Request body cannot be empty when 'write offset' is specified.");
}

/**
 * Returns the encryption of the appended bytes: the object's.
 * @throws S3Error EncryptionTypeMismatch, AccessDenied for another key
 */
export async function encryptionOfAppend(
  { encryption }: Pick<StoredObject, "encryption">,
  key: CustomerKey | undefined,
): Promise<NewEncryption | undefined> {
  if ((encryption === undefined) !== (key === undefined)) throw new S3Error("EncryptionTypeMismatch");
  await checkReadKey(encryption, key);
  return encryption === undefined || key === undefined ? undefined : { key, keyVerifier: encryption };
}

/** @throws S3Error InvalidRequest if the bytes have a checksum of another algorithm than the object */
export function checkAppendAlgorithm(
  { checksum }: Pick<StoredObject, "checksum">,
  announced: ChecksumAlgorithm | undefined,
): void {
  if (announced === undefined || checksum === undefined || checksum.algorithm === announced) return;
  const [expected, actual] = [checksum.algorithm.toLowerCase(), announced.toLowerCase()];
  throw invalid(
    `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
  );
}

/** The most bytes that an append merges into one blob, its own included: a longer tail stays as it is. */
export const MERGED_MAX_BYTES = 8 * 1024 ** 2;
/** Up to this size, merging costs less than the further blob of an object that has several. */
const ALWAYS_MERGED_BYTES = 128 * 1024;

/**
 * Decides which parts an append stores again together with its own bytes. A part is merged with all that follows it when
 * it is not longer than that. So each byte is stored again only a logarithmic number of times, and each part of the last
 * {@link MERGED_MAX_BYTES} is longer than all that follow it.
 * @returns the index of the first merged part; the number of parts if none is
 * @throws S3Error TooManyParts
 */
export function firstMergedPart(sizes: readonly number[], appended: number): number {
  if (sizes.length >= PART_MAX_NUMBER) throw new S3Error("TooManyParts");
  let first = sizes.length;
  let following = appended;
  for (let index = sizes.length - 1; index >= 0; index -= 1) {
    const size = sizes[index] ?? 0;
    const total = size + following;
    if (size > 0 && total > MERGED_MAX_BYTES) break;
    if (size <= following || total <= ALWAYS_MERGED_BYTES) first = index;
    following = total;
  }
  return first;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}

// Headers of uploads that are neither metadata nor checksums: the storage class, and those that must be refused rather
// than ignored.
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { classAfterTransition } from "../lifecycle/lifecycle.ts";
import { requestHeader, requestHeadersWithPrefix, type S3Request } from "../core/s3-request.ts";

const STORAGE_CLASSES = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
]);

/**
 * The storage class of an upload, which is the one that a transition to the class gives.
 * @throws S3Error InvalidStorageClass {StorageClassRequested}
 */
export function readStorageClass(request: S3Request): string {
  const value = requestHeader(request, "x-amz-storage-class") ?? "STANDARD";
  if (!STORAGE_CLASSES.has(value)) throw new S3Error("InvalidStorageClass", { StorageClassRequested: value });
  return classAfterTransition(value);
}

const REFUSED_PREFIXES = [
  "x-amz-server-side-encryption-aws-kms-key-id",
  "x-amz-server-side-encryption-bucket-key-enabled",
  "x-amz-server-side-encryption-context",
  "x-amz-object-lock-",
  "x-amz-website-redirect-location",
  "x-amz-write-offset-bytes",
];

/**
 * Refuses headers that ask for what is not implemented: an object stored without what they ask for would be a lie.
 * @throws S3Error NotImplemented {Header}, InvalidArgument for an unknown encryption
 */
export function refuseUnsupportedHeaders(request: S3Request): void {
  for (const prefix of REFUSED_PREFIXES) {
    const [header] = requestHeadersWithPrefix(request, prefix).keys();
    if (header !== undefined) throw unsupportedHeader(header);
  }
  const encryption = requestHeader(request, "x-amz-server-side-encryption");
  if (encryption === undefined || encryption === "AES256") return;
  if (encryption.startsWith("aws:")) throw unsupportedHeader("x-amz-server-side-encryption");
  throw invalidArgument("x-amz-server-side-encryption", encryption, "The encryption method specified is not supported");
}

function unsupportedHeader(header: string): S3Error {
  return new S3Error(
    "NotImplemented",
    { Header: header },
    "A header you provided implies functionality that is not implemented",
  );
}

/** The headers that tell which version a write made; in a bucket that is not Enabled they tell nothing. */
export function versionHeaders(versionId: string | undefined, isNullVersion: boolean): Record<string, string> {
  return versionId === undefined || isNullVersion ? {} : { "x-amz-version-id": versionId };
}

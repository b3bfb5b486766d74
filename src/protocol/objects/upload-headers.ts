// Headers of uploads that are neither metadata nor checksums: the storage class, and headers of unsupported features.
// The latter are refused, because ignoring them would store a different object.
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { classAfterTransition } from "../lifecycle/lifecycle.ts";
import { requestHeader, requestHeadersWithPrefix, type S3Request } from "../core/s3-request.ts";

/** The storage classes that requests can name. */
export const STORAGE_CLASSES: ReadonlySet<string> = new Set([
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
 * The storage class of an upload: the class that a transition to the requested class results in.
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
];

/**
 * Refuses headers of unsupported features: the stored object would lack the property that they request.
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

/** The version id header of a write; only a bucket with versioning Enabled returns one. */
export function versionHeaders(versionId: string | undefined, isNullVersion: boolean): Record<string, string> {
  return versionId === undefined || isNullVersion ? {} : { "x-amz-version-id": versionId };
}

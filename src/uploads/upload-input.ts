// Reads the headers of an upload and checks whether its object may be stored. PutObject, POST forms, multipart uploads
// and copies all do both here, in one order.
import type { Settings } from "../config/settings.ts";
import type { Context } from "../contract/context.ts";
import type { Acl } from "../protocol/acl/acl.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { checkCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { parseTaggingHeader, type Tag } from "../protocol/core/tagging.ts";
import { refuseWrite, type WriteConditions } from "../protocol/objects/conditions.ts";
import { readCustomerKey, type CustomerKey, type NewEncryption } from "../protocol/objects/customer-encryption.ts";
import { readMetadata, type ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { readStorageClass, refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import { readLockHeaders, type ObjectLock } from "../protocol/objects/object-lock.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { checkUploadAcl } from "./acl-input.ts";
import { requireLockRights } from "./object-lock-rights.ts";
import { requireUploadRights } from "./rights.ts";

/** The properties of an object that an upload's headers set. */
export interface UploadHeaders {
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** Undefined when the upload requests none. */
  readonly acl: Acl | undefined;
  /** Undefined when no customer's key encrypts the object. */
  readonly customerKey: CustomerKey | undefined;
  /** The retention and legal hold that the upload requests. */
  readonly lock: ObjectLock;
}

/**
 * Reads an upload's headers, or a form's fields in their place.
 * @throws S3Error NotImplemented for unsupported protection, InvalidStorageClass, InvalidArgument, InvalidRequest,
 *   MetadataTooLarge, InvalidTag
 */
export async function readUploadHeaders(
  request: S3Request,
  { accountId, customerKeysOverHttp }: Settings,
): Promise<UploadHeaders> {
  refuseUnsupportedHeaders(request);
  return {
    metadata: readMetadata(request),
    tags: parseTaggingHeader(requestHeader(request, "x-amz-tagging")),
    storageClass: readStorageClass(request),
    acl: readAclHeaders(request, accountId, "object"),
    customerKey: await readCustomerKey(request, customerKeysOverHttp),
    lock: readLockHeaders(request, Date.now()),
  };
}

/** An upload before its checks. */
export interface RequestedUpload extends Pick<UploadHeaders, "tags" | "acl" | "customerKey" | "lock"> {
  readonly key: string;
  /** Empty when the operation supports none. */
  readonly conditions: WriteConditions;
  /** The key's head when the request began. */
  readonly head: KeyHead;
}

/** The properties of an object that result from the checks of its upload. */
export interface CheckedUpload {
  /** The stored form of the access control list; undefined: private. */
  readonly acl: string | undefined;
  readonly encryption: NewEncryption | undefined;
  readonly lock: ObjectLock;
}

/**
 * Checks whether an upload may be stored, before its body is opened: rights first, then the list, the preconditions and
 * the bucket's encryption.
 * @throws S3Error AccessDenied, InvalidRequest for a lock without Object Lock, AccessControlListNotSupported, PreconditionFailed, NoSuchKey masked unless the
 *   principal may list the bucket, and what {@link checkCustomerKey} throws
 */
export async function checkUpload(
  context: Context,
  bucket: Bucket,
  { key, tags, acl: requested, customerKey, lock, conditions, head }: RequestedUpload,
): Promise<CheckedUpload> {
  requireUploadRights(context, bucket, key, { tags, conditions, current: head.subject });
  requireLockRights(context, bucket, key, lock);
  const acl = checkUploadAcl(context, bucket, key, requested);
  const refusal = refuseWrite(conditions, key, head.current, head.current);
  if (refusal !== undefined) {
    throw context.access.maskNotFound(new S3Error(refusal.code, refusal.fields), bucket, key);
  }
  return { acl, encryption: await checkCustomerKey(bucket.configurations.encryption, customerKey), lock };
}

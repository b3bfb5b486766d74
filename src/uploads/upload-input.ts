// What the headers of an upload say of its object, and whether the object may be stored with it. PutObject, POST forms,
// multipart uploads and copies all read and admit uploads here, in one order.
import type { Settings } from "../config/settings.ts";
import type { Context } from "../contract/context.ts";
import type { Acl } from "../protocol/acl/acl.ts";
import { readAclHeaders } from "../protocol/acl/acl-headers.ts";
import { admitCustomerKey } from "../protocol/buckets/bucket-encryption.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { requestHeader } from "../protocol/core/s3-request.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { parseTaggingHeader, type Tag } from "../protocol/core/tagging.ts";
import { refuseWrite, type WriteConditions } from "../protocol/objects/conditions.ts";
import { readCustomerKey, type CustomerKey, type NewEncryption } from "../protocol/objects/customer-encryption.ts";
import { readMetadata, type ObjectMetadata } from "../protocol/objects/object-metadata.ts";
import { readStorageClass, refuseUnsupportedHeaders } from "../protocol/objects/upload-headers.ts";
import type { KeyHead } from "../state/commit/heads.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { admitUploadAcl } from "./acl-input.ts";
import { requireUploadRights } from "./rights.ts";

/** What an upload's headers say of its object. */
export interface UploadHeaders {
  readonly metadata: ObjectMetadata;
  readonly tags: readonly Tag[];
  readonly storageClass: string;
  /** Undefined where none is requested. */
  readonly acl: Acl | undefined;
  /** Undefined where the object is not encrypted with a customer's key. */
  readonly customerKey: CustomerKey | undefined;
}

/**
 * Reads an upload's headers, or a form's fields in their place.
 * @throws S3Error NotImplemented for protection that Cairn does not give, InvalidStorageClass, InvalidArgument,
 *   InvalidRequest, MetadataTooLarge, InvalidTag
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
  };
}

/** An upload that is to be admitted. */
export interface RequestedUpload extends Pick<UploadHeaders, "tags" | "acl" | "customerKey"> {
  readonly key: string;
  /** Empty where the operation has none. */
  readonly conditions: WriteConditions;
  /** The key's head as the request saw it when it began. */
  readonly head: KeyHead;
}

/** What an admitted upload is stored with. */
export interface AdmittedUpload {
  /** The access control list in its stored form; undefined: private. */
  readonly acl: string | undefined;
  readonly encryption: NewEncryption | undefined;
}

/**
 * Decides whether an upload may be stored: rights first, then the list, the preconditions and the bucket's encryption. To be
 * called before the body is opened.
 * @throws S3Error AccessDenied, AccessControlListNotSupported, PreconditionFailed, NoSuchKey as far as the requester may
 *   know, and what {@link admitCustomerKey} throws
 */
export async function admitUpload(
  context: Context,
  bucket: Bucket,
  { key, tags, acl: requested, customerKey, conditions, head }: RequestedUpload,
): Promise<AdmittedUpload> {
  requireUploadRights(context, bucket, key, { tags, conditions, current: head.subject });
  const acl = admitUploadAcl(context, bucket, key, requested);
  const refusal = refuseWrite(conditions, key, head.current, head.current);
  if (refusal !== undefined) {
    throw context.access.maskNotFound(new S3Error(refusal.code, refusal.fields), bucket, key);
  }
  return { acl, encryption: await admitCustomerKey(bucket.configurations.encryption, customerKey) };
}

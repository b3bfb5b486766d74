// Access control lists on their way in: with an upload, or as what a request is about.
import { keysOfObject } from "../auth/access/object-keys.ts";
import { aclText, givesOwnerAlone, parseAcl, type Acl } from "../protocol/acl/acl.ts";
import { checkAcl } from "../protocol/acl/acl-rules.ts";
import { parseAclDocument } from "../protocol/acl/acl-xml.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { areAclsOn, ownershipText, type ObjectOwnership } from "../protocol/acl/object-ownership.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { ObjectFacts } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Context } from "../contract/context.ts";

/**
 * Admits the list that an upload asks for, as it is to be kept. To be called before the upload's body is opened. An
 * upload without one, or with the one that it would have anyway (clients send `private` unasked), needs no permission.
 * @param acl undefined where it asks for none
 * @throws S3Error AccessDenied, AccessControlListNotSupported
 */
export function admitUploadAcl(
  { access, inputs }: Pick<Context, "access" | "inputs">,
  bucket: Bucket,
  key: string,
  acl: Acl | undefined,
): string | undefined {
  if (acl === undefined || givesOwnerAlone(acl)) return undefined;
  access.require({ actions: ["s3:PutObjectAcl"], bucket, bucketName: bucket.name, key, inputs });
  checkAcl(acl, bucket);
  return aclText(acl);
}

/**
 * Admits the list that a version brings along to where it is moved or put back, as an upload with that list would be.
 * While lists are off, it comes without.
 * @throws S3Error AccessDenied without s3:PutObjectAcl for a list that grants others something, or where public ones are
 *   blocked
 */
export function admitMovedAcl(
  { access }: Pick<Context, "access">,
  bucket: Bucket,
  key: string,
  object: ObjectFacts,
): string | undefined {
  const { acl: text } = object;
  if (text === undefined || !areAclsOn(bucket.configurations.ownership)) return undefined;
  const acl = parseAcl(text, bucket.ownerId);
  if (givesOwnerAlone(acl)) return text;
  const conditionKeys = keysOfObject(object);
  access.require({ actions: ["s3:PutObjectAcl"], bucket, bucketName: bucket.name, key, conditionKeys });
  checkAcl(acl, bucket);
  return text;
}

/**
 * Refuses a list that was admitted when an upload began, where public ones have been blocked since.
 * @throws S3Error AccessDenied
 */
export function refuseBlockedAcl(bucket: Bucket, text: string | undefined): void {
  if (text !== undefined && areAclsOn(bucket.configurations.ownership))
    checkAcl(parseAcl(text, bucket.ownerId), bucket);
}

/**
 * The list that a PutBucketAcl or PutObjectAcl sets, as it is to be kept: that of its headers or of its body.
 * @throws S3Error MissingSecurityHeader for neither, UnexpectedContent for both, AccessControlListNotSupported,
 *   AccessDenied for a public one where those are blocked, and what parseAclDocument throws
 */
export async function receiveAcl(
  context: Context,
  bucket: Bucket,
  fromHeaders: Acl | undefined,
): Promise<string | null> {
  const document = await readDocument(context.request, context.openBody());
  if (document.length > 0 && fromHeaders !== undefined) throw new S3Error("UnexpectedContent");
  if (document.length === 0 && fromHeaders === undefined) {
    throw new S3Error("MissingSecurityHeader", { MissingHeaderName: "x-amz-acl" });
  }
  const acl = fromHeaders ?? parseAclDocument(document, bucket.ownerId);
  checkAcl(acl, bucket);
  return aclText(acl) ?? null;
}

/**
 * Admits who is to own what is put into a new bucket, and the bucket's own list, as both are to be kept. A list that
 * gives nothing to others needs no permission besides s3:CreateBucket.
 * @throws S3Error AccessDenied, InvalidBucketAclWithObjectOwnership where lists would be off
 */
export function admitNewBucketAcl(
  { access, inputs, settings }: Context,
  bucketName: string,
  acl: Acl | undefined,
  wanted: ObjectOwnership | undefined,
): { readonly acl: string | null; readonly ownership: string | null } {
  const on = { bucket: undefined, bucketName, inputs };
  if (wanted !== undefined) access.require({ ...on, actions: ["s3:PutBucketOwnershipControls"] });
  const ownership = ownershipText(wanted ?? settings.defaultObjectOwnership);
  if (acl === undefined || givesOwnerAlone(acl)) return { acl: null, ownership };
  access.require({ ...on, actions: ["s3:PutBucketAcl"] });
  if (!areAclsOn(ownership)) throw new S3Error("InvalidBucketAclWithObjectOwnership", { BucketName: bucketName });
  return { acl: aclText(acl) ?? null, ownership };
}

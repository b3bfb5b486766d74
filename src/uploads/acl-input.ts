// Reads and checks access control lists of uploads and of PutBucketAcl, PutObjectAcl and CreateBucket.
import { keysOfObject } from "../auth/access/object-keys.ts";
import { aclText, isOwnerOnlyAcl, parseAcl, type Acl } from "../protocol/acl/acl.ts";
import { checkAcl } from "../protocol/acl/acl-rules.ts";
import { parseAclDocument } from "../protocol/acl/acl-xml.ts";
import { readDocument } from "../protocol/core/document-body.ts";
import { areAclsEnabled, ownershipText, type ObjectOwnership } from "../protocol/acl/object-ownership.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { ObjectFacts } from "../protocol/objects/stored-object.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import type { Context } from "../contract/context.ts";

/**
 * Checks the list that an upload requests, before its body is opened. A list that grants nothing to others needs no
 * permission, because clients send `private` by default.
 * @param acl undefined when the upload requests none
 * @returns the stored form; undefined for a private list
 * @throws S3Error AccessDenied, AccessControlListNotSupported
 */
export function checkUploadAcl(
  { access, inputs }: Pick<Context, "access" | "inputs">,
  bucket: Bucket,
  key: string,
  acl: Acl | undefined,
): string | undefined {
  if (acl === undefined || isOwnerOnlyAcl(acl)) return undefined;
  access.requireAllowed({ actions: ["s3:PutObjectAcl"], bucket, bucketName: bucket.name, key, inputs });
  checkAcl(acl, bucket);
  return aclText(acl);
}

/**
 * Checks the list of a version that is renamed or restored as if an upload requested it. While the bucket has lists
 * disabled, the new version gets none.
 * @returns the stored form
 * @throws S3Error AccessDenied without s3:PutObjectAcl for a list that grants access to others, or for a blocked public
 *   list
 */
export function checkMovedAcl(
  { access }: Pick<Context, "access">,
  bucket: Bucket,
  key: string,
  object: ObjectFacts,
): string | undefined {
  const { acl: text } = object;
  if (text === undefined || !areAclsEnabled(bucket.configurations.ownership)) return undefined;
  const acl = parseAcl(text, bucket.ownerId);
  if (isOwnerOnlyAcl(acl)) return text;
  const conditionKeys = keysOfObject(object);
  access.requireAllowed({ actions: ["s3:PutObjectAcl"], bucket, bucketName: bucket.name, key, conditionKeys });
  checkAcl(acl, bucket);
  return text;
}

/**
 * Checks an upload's list again when it completes, because the bucket may block public lists by then.
 * @throws S3Error AccessDenied
 */
export function refuseBlockedAcl(bucket: Bucket, text: string | undefined): void {
  if (text !== undefined && areAclsEnabled(bucket.configurations.ownership))
    checkAcl(parseAcl(text, bucket.ownerId), bucket);
}

/**
 * Reads the list that PutBucketAcl or PutObjectAcl sets, from its headers or its body.
 * @returns the stored form; null for a private list
 * @throws S3Error MissingSecurityHeader for neither, UnexpectedContent for both, AccessControlListNotSupported,
 *   AccessDenied for a blocked public list, and what parseAclDocument throws
 */
export async function readAcl(context: Context, bucket: Bucket, fromHeaders: Acl | undefined): Promise<string | null> {
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
 * Checks the object ownership and access control list of a new bucket. A list that grants nothing to others needs no
 * permission beyond s3:CreateBucket.
 * @returns both in their stored form
 * @throws S3Error AccessDenied, InvalidBucketAclWithObjectOwnership when the ownership disables lists
 */
export function checkNewBucketAcl(
  { access, inputs, settings }: Context,
  bucketName: string,
  acl: Acl | undefined,
  requestedOwnership: ObjectOwnership | undefined,
): { readonly acl: string | null; readonly ownership: string | null } {
  const on = { bucket: undefined, bucketName, inputs };
  if (requestedOwnership !== undefined) access.requireAllowed({ ...on, actions: ["s3:PutBucketOwnershipControls"] });
  const ownership = ownershipText(requestedOwnership ?? settings.defaultObjectOwnership);
  if (acl === undefined || isOwnerOnlyAcl(acl)) return { acl: null, ownership };
  access.requireAllowed({ ...on, actions: ["s3:PutBucketAcl"] });
  if (!areAclsEnabled(ownership)) throw new S3Error("InvalidBucketAclWithObjectOwnership", { BucketName: bucketName });
  return { acl: aclText(acl) ?? null, ownership };
}

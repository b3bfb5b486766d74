// A bucket's rules for access control lists: which lists it accepts, and whether stored lists take effect.
import { isOwnerOnlyAcl, isPublicAcl, parseAcl, privateAcl, type Acl } from "./acl.ts";
import { areAclsEnabled } from "./object-ownership.ts";
import { readPublicAccessBlock } from "./public-access-block.ts";
import { S3Error } from "../core/s3-error.ts";

/** The stored settings of a bucket that affect access control lists. */
export interface AclBucket {
  readonly ownerId: string;
  readonly configurations: { readonly ownership: string | null; readonly public_access_block: string | null };
}

/** The list that applies. While ACLs are disabled, only the owner has access, and the stored list has no effect. */
export function effectiveAcl(text: string | null | undefined, { ownerId, configurations }: AclBucket): Acl {
  return areAclsEnabled(configurations.ownership) ? parseAcl(text, ownerId) : privateAcl(ownerId);
}

/**
 * Refuses a list that the bucket does not accept for itself or its objects.
 * @throws S3Error AccessControlListNotSupported while ACLs are disabled, AccessDenied if public ACLs are blocked
 */
export function checkAcl(acl: Acl, { configurations }: AclBucket): void {
  if (!areAclsEnabled(configurations.ownership) && !isOwnerOnlyAcl(acl)) {
    throw new S3Error("AccessControlListNotSupported", {}, ACLS_OFF);
  }
  const { BlockPublicAcls: isBlocked } = readPublicAccessBlock(configurations.public_access_block);
  if (isBlocked && isPublicAcl(acl)) throw new S3Error("AccessDenied");
}

const ACLS_OFF =
  "The bucket does not allow ACLs. Turn them on with PutBucketOwnershipControls (BucketOwnerPreferred or ObjectWriter), or for new buckets with the setting DEFAULT_OBJECT_OWNERSHIP.";

// What a bucket makes of access control lists: which of them it takes, and whether those that are kept count.
import { givesOwnerAlone, isPublicAcl, parseAcl, privateAcl, type Acl } from "./acl.ts";
import { areAclsOn } from "./object-ownership.ts";
import { readPublicAccessBlock } from "./public-access-block.ts";
import { S3Error } from "../core/s3-error.ts";

/** The parts of a bucket that bear on access control lists, as they are kept. */
export interface AclBucket {
  readonly ownerId: string;
  readonly configurations: { readonly ownership: string | null; readonly public_access_block: string | null };
}

/** The list that counts, of one that is kept: while lists are off, all is the owner's, and what is kept waits. */
export function aclInForce(text: string | null | undefined, { ownerId, configurations }: AclBucket): Acl {
  return areAclsOn(configurations.ownership) ? parseAcl(text, ownerId) : privateAcl(ownerId);
}

/**
 * Refuses a list that a bucket does not take for itself or its objects.
 * @throws S3Error AccessControlListNotSupported while lists are off, AccessDenied where public ones are blocked
 */
export function checkAcl(acl: Acl, { configurations }: AclBucket): void {
  if (!areAclsOn(configurations.ownership) && !givesOwnerAlone(acl)) {
    throw new S3Error("AccessControlListNotSupported", {}, ACLS_OFF);
  }
  const { BlockPublicAcls: isBlocked } = readPublicAccessBlock(configurations.public_access_block);
  if (isBlocked && isPublicAcl(acl)) throw new S3Error("AccessDenied");
}

const ACLS_OFF =
  "The bucket does not allow ACLs. Turn them on with PutBucketOwnershipControls (BucketOwnerPreferred or ObjectWriter), or for new buckets with the setting DEFAULT_OBJECT_OWNERSHIP.";

// Access control lists and their stored form. There is one account, so a grantee is the owner or a predefined group.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html

/** AWS's groups: all requesters, all authenticated requesters, and the service that writes access logs. */
export const GROUPS = {
  AllUsers: "http://acs.amazonaws.com/groups/global/AllUsers",
  AuthenticatedUsers: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
  LogDelivery: "http://acs.amazonaws.com/groups/s3/LogDelivery",
} as const;

export type Group = keyof typeof GROUPS;

/** The canonical id of Amazon EC2, to which the canned ACL `aws-exec-read` grants. No requester here has it. */
export const EC2_ID = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

/** The recipient of a grant. */
export type Grantee = "owner" | "EC2" | Group;

/** FULL_CONTROL includes all other permissions. */
export type AclPermission = "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP" | "FULL_CONTROL";

export interface Grant {
  readonly grantee: Grantee;
  readonly permission: AclPermission;
}

/** The access control list of a bucket or of an object's version. */
export interface Acl {
  /** The canonical id of the owner: the account id. */
  readonly ownerId: string;
  readonly grants: readonly Grant[];
}

const OWNER_GRANT: Grant = { grantee: "owner", permission: "FULL_CONTROL" };

/** The list that grants full control to the owner only. */
export function privateAcl(ownerId: string): Acl {
  return { ownerId, grants: [OWNER_GRANT] };
}

/** The stored form of a list; undefined for a private one. */
export function aclText(acl: Acl): string | undefined {
  const isPrivate = acl.grants.length === 1 && isOwnerOnlyAcl(acl);
  return isPrivate ? undefined : JSON.stringify(acl.grants.map(({ grantee, permission }) => [grantee, permission]));
}

/** Parses the stored form of {@link aclText}. */
export function parseAcl(text: string | null | undefined, ownerId: string): Acl {
  if (text === null || text === undefined) return privateAcl(ownerId);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const pairs = JSON.parse(text) as readonly [Grantee, AclPermission][];
  return { ownerId, grants: pairs.map(([grantee, permission]) => ({ grantee, permission })) };
}

/** Whether a list grants only full control to the owner, which is what a bucket with disabled ACLs accepts. */
export function isOwnerOnlyAcl({ grants }: Acl): boolean {
  return grants.every(({ grantee, permission }) => grantee === "owner" && permission === "FULL_CONTROL");
}

/**
 * Whether a list is public: whether it grants anything to all requesters, or to all authenticated requesters.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function isPublicAcl({ grants }: Acl): boolean {
  return grants.some(({ grantee }) => isPublicGroup(grantee));
}

/**
 * Whether a list grants a permission to a requester. Only grants to groups count: the owner is the account itself, and
 * policies decide for the account's users.
 * @param isPublicIgnored the bucket's IgnorePublicAcls: public grants have no effect
 */
export function isGranted(
  acl: Acl,
  requestPrincipal: { readonly isAnonymous: boolean; readonly accountId: string },
  permission: Exclude<AclPermission, "FULL_CONTROL">,
  isPublicIgnored: boolean,
): boolean {
  if (isPublicIgnored) return false;
  return acl.grants.some(
    (grant) =>
      (grant.permission === permission || grant.permission === "FULL_CONTROL") &&
      (grant.grantee === "AllUsers" || (grant.grantee === "AuthenticatedUsers" && !requestPrincipal.isAnonymous)),
  );
}

function isPublicGroup(grantee: Grantee): boolean {
  return grantee === "AllUsers" || grantee === "AuthenticatedUsers";
}

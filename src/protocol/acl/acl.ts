// Access control lists: who is granted what, and how they are kept. There is one account, so a grantee is its owner or
// one of AWS's predefined groups. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html

/** AWS's groups: everybody, everybody who signs, and the service that writes access logs. */
export const GROUPS = {
  AllUsers: "http://acs.amazonaws.com/groups/global/AllUsers",
  AuthenticatedUsers: "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
  LogDelivery: "http://acs.amazonaws.com/groups/s3/LogDelivery",
} as const;

export type Group = keyof typeof GROUPS;

/** The canonical id of Amazon EC2, to which the canned list `aws-exec-read` grants. Nobody here is that. */
export const EC2_ID = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

/** Whom something is granted to. */
export type Grantee = "owner" | "EC2" | Group;

/** What may be granted; FULL_CONTROL is all of the others. */
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

const OWNERS_GRANT: Grant = { grantee: "owner", permission: "FULL_CONTROL" };

/** The list of what nobody but the owner has to do with. */
export function privateAcl(ownerId: string): Acl {
  return { ownerId, grants: [OWNERS_GRANT] };
}

/** A list as it is kept; undefined for a private one. */
export function aclText(acl: Acl): string | undefined {
  const isPrivate = acl.grants.length === 1 && givesOwnerAlone(acl);
  return isPrivate ? undefined : JSON.stringify(acl.grants.map(({ grantee, permission }) => [grantee, permission]));
}

/** Reads what {@link aclText} wrote. */
export function parseAcl(text: string | null | undefined, ownerId: string): Acl {
  if (text === null || text === undefined) return privateAcl(ownerId);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const pairs = JSON.parse(text) as readonly [Grantee, AclPermission][];
  return { ownerId, grants: pairs.map(([grantee, permission]) => ({ grantee, permission })) };
}

/** Whether a list grants nothing but full control to the owner: what holds where access control lists are off. */
export function givesOwnerAlone({ grants }: Acl): boolean {
  return grants.every(({ grantee, permission }) => grantee === "owner" && permission === "FULL_CONTROL");
}

/**
 * Whether a list is public: whether it grants anything to everybody, or to everybody who signs.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function isPublicAcl({ grants }: Acl): boolean {
  return grants.some(({ grantee }) => isPublicGroup(grantee));
}

/**
 * Whether a list lets somebody do something. Grants to groups alone count: the owner is the account itself, and its
 * users are not the owner, so what they may do is for policies to say.
 * @param isPublicIgnored whether public grants are void: the bucket's IgnorePublicAcls
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

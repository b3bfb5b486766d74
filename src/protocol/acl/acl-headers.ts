// The headers that set an access control list: a canned ACL by name, or individual grants.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#setting-acls
import { isOwnerOnlyAcl, GROUPS, privateAcl, type Acl, type AclPermission, type Grant } from "./acl.ts";
import { granteeById, granteeByUri, MAX_GRANTS, unresolvableEmail } from "./acl-grantees.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** Buckets and objects have different canned ACLs. */
export type AclTarget = "bucket" | "object";

const PUBLIC_READ: Grant = { grantee: "AllUsers", permission: "READ" };

/** The grants of each canned ACL in addition to the owner's full control. */
const CANNED_ACLS: ReadonlyMap<string, readonly Grant[]> = new Map([
  ["private", []],
  ["public-read", [PUBLIC_READ]],
  ["public-read-write", [PUBLIC_READ, { grantee: "AllUsers", permission: "WRITE" }]],
  ["authenticated-read", [{ grantee: "AuthenticatedUsers", permission: "READ" }]],
  ["aws-exec-read", [{ grantee: "EC2", permission: "READ" }]],
]);

const CANNED_BUCKET_ACLS: ReadonlyMap<string, readonly Grant[]> = new Map([
  ...CANNED_ACLS,
  [
    "log-delivery-write",
    [
      { grantee: "LogDelivery", permission: "WRITE" },
      { grantee: "LogDelivery", permission: "READ_ACP" },
    ],
  ],
  // AWS ignores these two on buckets.
  ["bucket-owner-read", []],
  ["bucket-owner-full-control", []],
]);

const CANNED_OBJECT_ACLS: ReadonlyMap<string, readonly Grant[]> = new Map([
  ...CANNED_ACLS,
  ["bucket-owner-read", [{ grantee: "owner", permission: "READ" }]],
  ["bucket-owner-full-control", []],
]);

const GRANT_HEADERS: readonly (readonly [header: string, permission: AclPermission])[] = [
  ["x-amz-grant-full-control", "FULL_CONTROL"],
  ["x-amz-grant-read", "READ"],
  ["x-amz-grant-read-acp", "READ_ACP"],
  ["x-amz-grant-write", "WRITE"],
  ["x-amz-grant-write-acp", "WRITE_ACP"],
];

/**
 * The access control list that a request's headers set; undefined without such headers. Grant headers replace the
 * default grants, including the owner's full control.
 * @throws S3Error InvalidArgument for an unknown canned ACL or grantee, UnresolvableGrantByEmailAddress, InvalidRequest
 *   for a canned ACL together with grants, or for more than 100 grants
 */
export function readAclHeaders(request: S3Request, ownerId: string, target: AclTarget): Acl | undefined {
  const canned = requestHeader(request, "x-amz-acl");
  const grants: Grant[] = [];
  let hasGrantHeader = false;
  for (const [header, permission] of GRANT_HEADERS) {
    const value = requestHeader(request, header);
    if (value === undefined) continue;
    hasGrantHeader = true;
    grants.push(...parseGrants(header, value, permission, ownerId));
  }
  if (canned !== undefined && hasGrantHeader) {
    throw new S3Error("InvalidRequest", {}, "Specifying both Canned ACLs and Header Grants is not allowed");
  }
  if (canned !== undefined) return cannedAcl(canned, ownerId, target);
  if (grants.length > MAX_GRANTS) {
    throw new S3Error("InvalidRequest", {}, `An access control list has at most ${MAX_GRANTS} grants`);
  }
  return hasGrantHeader ? { ownerId, grants } : undefined;
}

function cannedAcl(name: string, ownerId: string, target: AclTarget): Acl {
  const grants = (target === "bucket" ? CANNED_BUCKET_ACLS : CANNED_OBJECT_ACLS).get(name);
  if (grants === undefined)
    throw invalidArgument("x-amz-acl", name, `There is no canned ACL of this name for ${target}s`);
  return { ownerId, grants: [...privateAcl(ownerId).grants, ...grants] };
}

/**
 * The headers that would set an object's list, with their values: the canned ACL if one is equal, and the grants. No
 * header is needed for a list that grants full control to the owner only.
 */
export function headersOfAcl(acl: Acl): ReadonlyMap<string, readonly string[]> {
  const headers = new Map<string, readonly string[]>();
  if (isOwnerOnlyAcl(acl)) return headers;
  const text = textOfGrants(acl.grants);
  const canned = Array.from(CANNED_OBJECT_ACLS.entries()).find(
    ([, grants]) => textOfGrants([...privateAcl(acl.ownerId).grants, ...grants]) === text,
  );
  if (canned !== undefined) headers.set("x-amz-acl", [canned[0]]);
  for (const [header, permission] of GRANT_HEADERS) {
    const grants = acl.grants.filter((grant) => grant.permission === permission && grant.grantee !== "owner");
    if (grants.length > 0) headers.set(header, grants.map(textOfGrantee));
  }
  return headers;
}

function textOfGrantee({ grantee }: Grant): string {
  return grantee === "owner" || grantee === "EC2" ? `id=${grantee}` : `uri=${GROUPS[grantee]}`;
}

function textOfGrants(grants: readonly Grant[]): string {
  return JSON.stringify(grants.map(({ grantee, permission }) => `${grantee} ${permission}`).toSorted());
}

function parseGrants(header: string, value: string, permission: AclPermission, ownerId: string): Grant[] {
  return value.split(",").map((item) => {
    const equals = item.indexOf("=");
    const name = unquote(item.slice(equals + 1).trim());
    switch (item.slice(0, Math.max(equals, 0)).trim().toLowerCase()) {
      case "id":
        return { grantee: granteeById(name, ownerId, "id"), permission };
      case "uri":
        return { grantee: granteeByUri(name, "uri"), permission };
      case "emailaddress":
        throw unresolvableEmail();
      default:
        throw invalidArgument(header, item.trim(), "Argument format not recognized");
    }
  });
}

/** Grantees are quoted, but AWS also accepts them without quotes. */
function unquote(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

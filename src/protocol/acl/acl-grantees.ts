// The names of grantees in requests and responses: a canonical id for an account, a URI for a group.
import { EC2_ID, GROUPS, type Grantee, type Group } from "./acl.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";

/** The most grants of a list. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
export const MAX_GRANTS = 100;

/**
 * The grantee with a canonical id.
 * @param argument the name of the element or field that contains the id
 * @throws S3Error InvalidArgument for an unknown account
 */
export function granteeById(id: string, ownerId: string, argument: string): Grantee {
  if (id === ownerId) return "owner";
  if (id === EC2_ID) return "EC2";
  throw invalidArgument(argument, id, "Invalid id");
}

/**
 * The group with a URI.
 * @param argument the name of the element or field that contains the URI
 * @throws S3Error InvalidArgument
 */
export function granteeByUri(uri: string, argument: string): Grantee {
  // Object.keys returns the table's own keys only.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const group = (Object.keys(GROUPS) as Group[]).find((name) => GROUPS[name] === uri);
  if (group === undefined) throw invalidArgument(argument, uri, "Invalid group uri");
  return group;
}

/** The error for a grantee with an email address: no account has one. */
export function unresolvableEmail(): S3Error {
  return new S3Error("UnresolvableGrantByEmailAddress");
}

/** The canonical id of an account, or the URI of a group. */
export function granteeIdentifier(
  grantee: Grantee,
  ownerId: string,
): { readonly id: string } | { readonly uri: string } {
  if (grantee === "owner") return { id: ownerId };
  return grantee === "EC2" ? { id: EC2_ID } : { uri: GROUPS[grantee] };
}

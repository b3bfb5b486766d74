// How grantees are named by requests and shown in answers: an account by its canonical id, a group by its URI.
import { EC2_ID, GROUPS, type Grantee, type Group } from "./acl.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";

/** The most grants of one list. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
export const MAX_GRANTS = 100;

/**
 * The grantee of a canonical id.
 * @param argument what the id is called where it stands
 * @throws S3Error InvalidArgument for the id of no account
 */
export function granteeById(id: string, ownerId: string, argument: string): Grantee {
  if (id === ownerId) return "owner";
  if (id === EC2_ID) return "EC2";
  throw invalidArgument(argument, id, "Invalid id");
}

/**
 * The group of a URI.
 * @param argument what the URI is called where it stands
 * @throws S3Error InvalidArgument
 */
export function granteeByUri(uri: string, argument: string): Grantee {
  // What Object.entries lists are the table's own keys.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const group = (Object.keys(GROUPS) as Group[]).find((name) => GROUPS[name] === uri);
  if (group === undefined) throw invalidArgument(argument, uri, "Invalid group uri");
  return group;
}

/** The refusal of a grantee who is named by an address: no account has one. */
export function unresolvableEmail(): S3Error {
  return new S3Error("UnresolvableGrantByEmailAddress");
}

/** A grantee as answers show it: the canonical id of an account, or the URI of a group. */
export function shownGrantee(grantee: Grantee, ownerId: string): { readonly id: string } | { readonly uri: string } {
  if (grantee === "owner") return { id: ownerId };
  return grantee === "EC2" ? { id: EC2_ID } : { uri: GROUPS[grantee] };
}

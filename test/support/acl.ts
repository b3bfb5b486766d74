// Access control lists as clients set and read them, and buckets where they count.
import { expect } from "vitest";

import { send } from "./client.ts";
import { freshBucket } from "./fresh-bucket.ts";
import { childrenOf, readXml, textOf, type Element } from "./read-xml.ts";
import { metadata } from "./metadata.ts";

export const OWNER = "000000000000";
export const GROUPS = "http://acs.amazonaws.com/groups";
export const ALL_USERS = `${GROUPS}/global/AllUsers`;
export const AUTHENTICATED_USERS = `${GROUPS}/global/AuthenticatedUsers`;
export const LOG_DELIVERY = `${GROUPS}/s3/LogDelivery`;
export const EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

/** The grants of `private`. */
export const PRIVATE = [`${OWNER} FULL_CONTROL`];
/** The grants of `public-read`. */
export const PUBLIC_READ = [`${ALL_USERS} READ`, ...PRIVATE];

export const TURN_ON =
  "The bucket does not allow ACLs. Turn them on with PutBucketOwnershipControls (BucketOwnerPreferred or ObjectWriter), or for new buckets with the setting DEFAULT_OBJECT_OWNERSHIP.";

/** The error for an ACL while ACLs are disabled. */
export const ACLS_OFF = { status: 400, code: "AccessControlListNotSupported", message: TURN_ON };

/** Sends a request that sets the object ownership of a bucket. */
export function sendOwnership(bucket: string, ownership: string): Promise<Response> {
  const body = `<OwnershipControls xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule></OwnershipControls>`;
  return send("PUT", `/${bucket}?ownershipControls`, { body });
}

/** Sets who owns a bucket's objects. */
export async function setOwnership(bucket: string, ownership: string): Promise<void> {
  expect((await sendOwnership(bucket, ownership)).status).toBe(200);
}

/** A bucket with ACLs enabled. */
export async function aclBucket(): Promise<string> {
  const bucket = await freshBucket();
  await setOwnership(bucket, "ObjectWriter");
  return bucket;
}

/** Blocks public ACLs in a bucket. */
export async function blockPublicAcls(bucket: string): Promise<void> {
  const block = {
    BlockPublicAcls: true,
    IgnorePublicAcls: false,
    BlockPublicPolicy: false,
    RestrictPublicBuckets: false,
  };
  await metadata
    .prepare("UPDATE buckets SET public_access_block = ? WHERE name = ?")
    .bind(JSON.stringify(block), bucket)
    .run();
}

/** A grant of a document, by the element that names its grantee: an id, a URI, an address. */
export function grant(name: string, permission: string): string {
  const [type, element] = name.includes("@")
    ? ["AmazonCustomerByEmail", "EmailAddress"]
    : name.startsWith("http")
      ? ["Group", "URI"]
      : ["CanonicalUser", "ID"];
  return `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}"><${element}>${name}</${element}></Grantee><Permission>${permission}</Permission></Grant>`;
}

/** An AccessControlPolicy of these grants. */
export function aclDocument(grants: readonly string[], ownerId = OWNER): string {
  return `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>${ownerId}</ID></Owner><AccessControlList>${grants.join("")}</AccessControlList></AccessControlPolicy>`;
}

/** The grants of a bucket, an object or a version, each with its grantee and its permission. */
export async function grantsOf(target: string): Promise<string[]> {
  const response = await send("GET", `/${target}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const root = readXml(text);
  expect(root.name).toBe("AccessControlPolicy");
  const [owner, list] = [only(root, "Owner"), only(root, "AccessControlList")];
  expect(textOf(owner, "ID")).toBe(OWNER);
  return childrenOf(list, "Grant").map((element) => {
    const grantee = only(element, "Grantee");
    const [id, uri] = [textOf(grantee, "ID"), textOf(grantee, "URI")];
    expect(grantee.attributes["xsi:type"]).toBe(uri === undefined ? "CanonicalUser" : "Group");
    return `${uri ?? id ?? ""} ${textOf(element, "Permission") ?? ""}`;
  });
}

function only(element: Element, name: string): Element {
  const [child, ...others] = childrenOf(element, name);
  if (child === undefined || others.length > 0) throw new Error(`not one ${name} in ${element.name}`);
  return child;
}

/** Requests with invalid ACLs for any resource, with the expected error. */
export const UNSOUND_ACLS: readonly (readonly [
  name: string,
  request: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  error: { status: number; code: string; message?: string; fields?: Record<string, string> },
])[] = [
  [
    "no list at all",
    {},
    {
      status: 400,
      code: "MissingSecurityHeader",
      message: "Your request was missing a required header",
      fields: { MissingHeaderName: "x-amz-acl" },
    },
  ],
  [
    "a list in its headers and in its body",
    { headers: { "x-amz-acl": "private" }, body: aclDocument([grant(OWNER, "FULL_CONTROL")]) },
    { status: 400, code: "UnexpectedContent", message: "This request does not support content" },
  ],
  [
    "a canned list and grants",
    { headers: { "x-amz-acl": "private", "x-amz-grant-read": `id="${OWNER}"` } },
    {
      status: 400,
      code: "InvalidRequest",
      message: "Specifying both Canned ACLs and Header Grants is not allowed",
    },
  ],
  [
    "a canned list that there is not",
    { headers: { "x-amz-acl": "public" } },
    { status: 400, code: "InvalidArgument", fields: { ArgumentName: "x-amz-acl", ArgumentValue: "public" } },
  ],
  [
    "a grant to another account",
    { headers: { "x-amz-grant-read": 'id="111111111111"' } },
    {
      status: 400,
      code: "InvalidArgument",
      message: "Invalid id",
      fields: { ArgumentName: "id", ArgumentValue: "111111111111" },
    },
  ],
  [
    "a document that grants to an unknown group",
    { body: aclDocument([grant(`${GROUPS}/global/Unknown`, "READ")]) },
    {
      status: 400,
      code: "InvalidArgument",
      message: "Invalid group uri",
      fields: { ArgumentName: "Group/URI", ArgumentValue: `${GROUPS}/global/Unknown` },
    },
  ],
  [
    "a document that grants to an address",
    { body: aclDocument([grant("a@example.com", "READ")]) },
    {
      status: 400,
      code: "UnresolvableGrantByEmailAddress",
      message: "The email address you provided does not match any account on record.",
    },
  ],
  ["a document without an owner", { body: "<AccessControlPolicy/>" }, { status: 400, code: "MalformedACLError" }],
  ["no document", { body: "public-read" }, { status: 400, code: "MalformedACLError" }],
];

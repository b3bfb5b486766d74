// Object ownership: whether a bucket's access control lists, and those of the objects in it, count at all.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
import { element, type XmlElement } from "../bytes/xml.ts";
import { parseDocument, singleChildren } from "./document-body.ts";
import { S3_NAMESPACE, S3Error } from "./s3-error.ts";
import { requestHeader, type S3Request } from "./s3-request.ts";

/** What ownership controls can say. With the first, lists are off; the others differ between accounts only. */
const OBJECT_OWNERSHIPS = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] as const;

export type ObjectOwnership = (typeof OBJECT_OWNERSHIPS)[number];

/** How it is kept that a bucket's ownership controls were deleted. AWS treats such a bucket as ObjectWriter. */
export const DELETED_OWNERSHIP = "none";

/** The ownership that a text names, if it names one. */
export function asObjectOwnership(text: string | undefined): ObjectOwnership | undefined {
  return OBJECT_OWNERSHIPS.find((ownership) => ownership === text);
}

/** An ownership as it is kept; null for what holds where nothing is kept. */
export function ownershipText(ownership: ObjectOwnership): string | null {
  return ownership === "BucketOwnerEnforced" ? null : ownership;
}

/** What a bucket's controls say, of how they are kept; undefined where they were deleted. */
export function ownershipOf(text: string | null): ObjectOwnership | undefined {
  return text === null ? "BucketOwnerEnforced" : asObjectOwnership(text);
}

/** Whether access control lists count in a bucket, of how its ownership is kept. */
export function areAclsOn(text: string | null): boolean {
  return ownershipOf(text) !== "BucketOwnerEnforced";
}

/** The ownership that a CreateBucket asks for. @throws S3Error InvalidArgument */
export function readObjectOwnership(request: S3Request): ObjectOwnership | undefined {
  const value = requestHeader(request, "x-amz-object-ownership");
  const ownership = asObjectOwnership(value);
  if (value === undefined || ownership !== undefined) return ownership;
  const fields = { ArgumentName: "x-amz-object-ownership" };
  throw new S3Error("InvalidArgument", fields, `Invalid x-amz-object-ownership header: ${value}`);
}

/** The ownership that an OwnershipControls document sets, by its one rule. @throws S3Error MalformedXML */
export function parseOwnershipControls(document: Uint8Array): ObjectOwnership {
  const rule = singleChildren(parseDocument(document, "OwnershipControls"), ["Rule"]).get("Rule");
  const text = rule === undefined ? undefined : singleChildren(rule, ["ObjectOwnership"]).get("ObjectOwnership")?.text;
  const ownership = asObjectOwnership(text?.trim());
  if (ownership === undefined) throw new S3Error("MalformedXML");
  return ownership;
}

/** The document that shows ownership controls. */
export function ownershipControlsElement(ownership: ObjectOwnership): XmlElement {
  const rule = element("Rule", [element("ObjectOwnership", ownership)]);
  return element("OwnershipControls", [rule], { xmlns: S3_NAMESPACE });
}

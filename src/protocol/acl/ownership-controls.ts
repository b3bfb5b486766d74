// Object ownership in requests and responses: a header of CreateBucket, and the OwnershipControls document.
import { element, type XmlElement } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { asObjectOwnership, type ObjectOwnership } from "./object-ownership.ts";
import { S3_NAMESPACE, S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** Reads the ownership header of a CreateBucket. @throws S3Error InvalidArgument */
export function readObjectOwnership(request: S3Request): ObjectOwnership | undefined {
  const value = requestHeader(request, "x-amz-object-ownership");
  const ownership = asObjectOwnership(value);
  if (value === undefined || ownership !== undefined) return ownership;
  const fields = { ArgumentName: "x-amz-object-ownership" };
  throw new S3Error("InvalidArgument", fields, `Invalid x-amz-object-ownership header: ${value}`);
}

/** Parses an OwnershipControls document, which has one rule. @throws S3Error MalformedXML */
export function parseOwnershipControls(document: Uint8Array): ObjectOwnership {
  const rule = singleChildren(parseDocument(document, "OwnershipControls"), ["Rule"]).get("Rule");
  const text = rule === undefined ? undefined : singleChildren(rule, ["ObjectOwnership"]).get("ObjectOwnership")?.text;
  const ownership = asObjectOwnership(text?.trim());
  if (ownership === undefined) throw new S3Error("MalformedXML");
  return ownership;
}

/** The document of ownership controls. */
export function ownershipControlsElement(ownership: ObjectOwnership): XmlElement {
  const rule = element("Rule", [element("ObjectOwnership", ownership)]);
  return element("OwnershipControls", [rule], { xmlns: S3_NAMESPACE });
}

// S3 Control's requests for the tags of a bucket: the account that they name, and their documents.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
import { element, type XmlElement } from "../../bytes/xml.ts";
import type { DeclaredInputs } from "../core/operation-inputs.ts";
import { S3Error } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { tagElements, type Tag } from "../core/tagging.ts";

const CONTROL_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";
const ACCOUNT_ID = "x-amz-account-id";

/** What every one of these requests obeys. */
export const CONTROL: DeclaredInputs = { headers: [ACCOUNT_ID] };

/** @throws S3Error AccessDenied where the bucket is not the account's that the request names */
export function checkControlAccount(request: S3Request, ownerId: string): void {
  if (request.headers.get(ACCOUNT_ID) !== ownerId) throw new S3Error("AccessDenied");
}

/** The answer of ListTagsForResource. */
export function resourceTagsElement(tags: readonly Tag[]): XmlElement {
  return element("ListTagsForResourceResult", [element("Tags", tagElements(tags))], { xmlns: CONTROL_NAMESPACE });
}

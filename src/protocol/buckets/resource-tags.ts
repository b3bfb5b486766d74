// S3 Control's requests for a bucket's tags: the account header and the response document.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_TagResource.html
import { element, type XmlElement } from "../../bytes/xml.ts";
import type { DeclaredInputs } from "../core/operation-inputs.ts";
import { S3Error } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { tagElements, type Tag } from "../core/tagging.ts";

const CONTROL_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";
const ACCOUNT_ID = "x-amz-account-id";

/** The inputs that all of these requests obey. */
export const CONTROL: DeclaredInputs = { headers: [ACCOUNT_ID] };

/** @throws S3Error AccessDenied unless the request names the bucket's account */
export function checkControlAccount(request: S3Request, ownerId: string): void {
  if (request.headers.get(ACCOUNT_ID) !== ownerId) throw new S3Error("AccessDenied");
}

/** The response of ListTagsForResource. */
export function resourceTagsElement(tags: readonly Tag[]): XmlElement {
  return element("ListTagsForResourceResult", [element("Tags", tagElements(tags))], { xmlns: CONTROL_NAMESPACE });
}

// Access control lists as they are shown: the owner's full control, which is the only grant there is.
import { element, type XmlElement } from "../bytes/xml.ts";
import { ownerElement } from "./listing-xml.ts";
import { S3_NAMESPACE } from "./s3-error.ts";

const SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";

/** The list of something that only its owner has a grant on. */
export function ownerAclElement(ownerId: string): XmlElement {
  const grantee = element("Grantee", [element("ID", ownerId), element("DisplayName", ownerId)], {
    "xmlns:xsi": SCHEMA_INSTANCE,
    "xsi:type": "CanonicalUser",
  });
  const grant = element("Grant", [grantee, element("Permission", "FULL_CONTROL")]);
  return element("AccessControlPolicy", [ownerElement(ownerId), element("AccessControlList", [grant])], {
    xmlns: S3_NAMESPACE,
  });
}

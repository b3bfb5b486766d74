// Parses and writes AccessControlPolicy documents.
import { element, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { GROUPS, type Acl, type AclPermission, type Grant, type Grantee } from "./acl.ts";
import { granteeById, granteeByUri, MAX_GRANTS, granteeIdentifier, unresolvableEmail } from "./acl-grantees.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { ownerElement } from "../listings/listing-xml.ts";
import { invalidArgument, S3_NAMESPACE, S3Error } from "../core/s3-error.ts";

const SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";
const PERMISSIONS: readonly AclPermission[] = ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"];

/** The document of a list: grants to groups first, then those to accounts, as S3's test suites expect. */
export function aclElement({ ownerId, grants }: Acl): XmlElement {
  const toGroups = grants.filter(({ grantee }) => grantee in GROUPS);
  const ordered = [...toGroups, ...grants.filter(({ grantee }) => !(grantee in GROUPS))];
  const elements = ordered.map(({ grantee, permission }) =>
    element("Grant", [granteeElement(grantee, ownerId), element("Permission", permission)]),
  );
  return element("AccessControlPolicy", [ownerElement(ownerId), element("AccessControlList", elements)], {
    xmlns: S3_NAMESPACE,
  });
}

function granteeElement(grantee: Grantee, ownerId: string): XmlElement {
  const shown = granteeIdentifier(grantee, ownerId);
  const [type, fields] =
    "uri" in shown
      ? ["Group", [element("URI", shown.uri)]]
      : ["CanonicalUser", [element("ID", shown.id), element("DisplayName", shown.id)]];
  return element("Grantee", fields, { "xmlns:xsi": SCHEMA_INSTANCE, "xsi:type": type });
}

/**
 * Parses an AccessControlPolicy. The element that names a grantee determines its type; `xsi:type` is ignored.
 * @throws S3Error MalformedACLError, InvalidArgument for an unknown account or group, UnresolvableGrantByEmailAddress
 */
export function parseAclDocument(document: Uint8Array, ownerId: string): Acl {
  try {
    return readPolicy(parseDocument(document, "AccessControlPolicy"), ownerId);
  } catch (error) {
    if (error instanceof S3Error && error.code === "MalformedXML") throw new S3Error("MalformedACLError");
    throw error;
  }
}

function readPolicy(policy: XmlNode, ownerId: string): Acl {
  const fields = singleChildren(policy, ["Owner", "AccessControlList"]);
  const [owner, list] = [fields.get("Owner"), fields.get("AccessControlList")];
  if (owner === undefined || list === undefined || list.children.length > MAX_GRANTS) throw new S3Error("MalformedXML");
  // A list cannot change the owner.
  const id = textOf(singleChildren(owner, ["ID", "DisplayName"]), "ID");
  if (id !== ownerId) throw invalidArgument("CanonicalUser/ID", id, "Invalid id");
  return { ownerId, grants: list.children.map((node) => readGrant(node, ownerId)) };
}

function readGrant(node: XmlNode, ownerId: string): Grant {
  if (node.name !== "Grant") throw new S3Error("MalformedXML");
  const fields = singleChildren(node, ["Grantee", "Permission"]);
  const grantee = fields.get("Grantee");
  const permission = PERMISSIONS.find((candidate) => candidate === textOf(fields, "Permission"));
  if (grantee === undefined || permission === undefined) throw new S3Error("MalformedXML");
  return { grantee: readGrantee(grantee, ownerId), permission };
}

function readGrantee(node: XmlNode, ownerId: string): Grantee {
  const fields = singleChildren(node, ["ID", "DisplayName", "URI", "EmailAddress"]);
  const [kind, ...others] = ["ID", "URI", "EmailAddress"].filter((name) => fields.has(name));
  if (kind === undefined || others.length > 0) throw new S3Error("MalformedXML");
  if (kind === "EmailAddress") throw unresolvableEmail();
  const name = textOf(fields, kind);
  return kind === "ID" ? granteeById(name, ownerId, "CanonicalUser/ID") : granteeByUri(name, "Group/URI");
}

function textOf(fields: ReadonlyMap<string, XmlNode>, name: string): string {
  return fields.get(name)?.text.trim() ?? "";
}

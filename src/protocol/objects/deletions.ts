// Parses the document of DeleteObjects and enforces its limits.
import { parseHttpDate, parseIsoDate } from "../../bytes/dates.ts";
import { utf8Length } from "../../bytes/text.ts";
import type { XmlNode } from "../../bytes/xml.ts";
import { KEY_MAX_BYTES } from "../core/addressing.ts";
import type { WriteConditions } from "./conditions.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { S3Error, type S3ErrorCode } from "../core/s3-error.ts";
import { isVersionId } from "../core/version-id.ts";

const MAX_DELETIONS = 1000;

/** The Object element and its five possible children. */
const ELEMENTS_PER_DELETION = 6;

/** The most elements of a document: the root, Quiet, all keys, and a margin for comments. */
const MAX_ELEMENTS = MAX_DELETIONS * ELEMENTS_PER_DELETION + 100;

/** 1000 keys of 1024 bytes that are escaped to six characters each, and a kilobyte of elements per key. */
export const DELETIONS_MAX_BYTES = 8 * 1024 * 1024;

/** One key of the document. */
export interface Deletion {
  readonly key: string;
  readonly versionId: string | undefined;
  /** Only the conditions that the document contains. */
  readonly conditions: WriteConditions;
  /** An error of this key alone. */
  readonly problem: S3ErrorCode | undefined;
}

/** @throws S3Error MalformedXML, also for zero or more than 1000 keys */
export function parseDeletions(document: Uint8Array): { readonly deletions: Deletion[]; readonly isQuiet: boolean } {
  const root = parseDocument(document, "Delete", MAX_ELEMENTS);
  const objects = root.children.filter((child) => child.name === "Object");
  const others = { ...root, children: root.children.filter((child) => child.name !== "Object") };
  const quiet = singleChildren(others, ["Quiet"]).get("Quiet")?.text.trim() ?? "false";
  if (objects.length === 0 || objects.length > MAX_DELETIONS || !/^(true|false)$/i.test(quiet)) {
    throw new S3Error("MalformedXML");
  }
  return { deletions: objects.map(parseDeletion), isQuiet: quiet.toLowerCase() === "true" };
}

function parseDeletion(node: XmlNode): Deletion {
  const fields = singleChildren(node, ["Key", "VersionId", "ETag", "LastModifiedTime", "Size"]);
  if (Array.from(fields.values()).some((field) => field.children.length > 0)) throw new S3Error("MalformedXML");
  const key = fields.get("Key")?.text;
  if (key === undefined || key === "") throw new S3Error("MalformedXML");
  const versionId = fields.get("VersionId")?.text.trim();
  const isWellFormed = versionId === undefined || versionId === "null" || isVersionId(versionId);
  const problem = utf8Length(key) > KEY_MAX_BYTES ? "KeyTooLongError" : isWellFormed ? undefined : "NoSuchVersion";
  return { key, versionId, conditions: parseConditions(fields), problem };
}

function parseConditions(fields: ReadonlyMap<string, XmlNode>): WriteConditions {
  const etag = fields.get("ETag")?.text.trim();
  const size = fields.get("Size")?.text.trim();
  const modified = fields.get("LastModifiedTime")?.text.trim();
  if (size !== undefined && !/^\d{1,15}$/.test(size)) throw new S3Error("MalformedXML");
  const time = modified === undefined ? undefined : (parseHttpDate(modified) ?? parseIsoDate(modified));
  if (modified !== undefined && time === undefined) throw new S3Error("MalformedXML");
  return {
    ...(etag === undefined ? {} : { ifMatch: etag }),
    ...(size === undefined ? {} : { ifMatchSize: Number(size) }),
    ...(time === undefined ? {} : { ifMatchLastModified: time }),
  };
}

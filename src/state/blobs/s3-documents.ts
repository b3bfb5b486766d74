// The XML documents that the S3 blob store sends and reads.
import { utf8 } from "../../bytes/text.ts";
import { element, parseXml, renderXml, type XmlNode } from "../../bytes/xml.ts";

/** A page of 1000 keys has about ten elements for each key. */
const MAX_ELEMENTS = 50_000;

/** An error document's code, and the hash that the store computed if the document contains it. */
export interface S3Failure {
  readonly code: string;
  readonly computedSha256: string | undefined;
}

/** Reads an error document; undefined for any other document. */
export function readFailure(document: Uint8Array): S3Failure | undefined {
  const root = parseXml(document, MAX_ELEMENTS);
  if (root?.name !== "Error") return undefined;
  // Only a code is repeated in messages: other texts of a store can contain signatures.
  const code = /^\w{1,64}/.exec(textOf(root, "Code") ?? "")?.[0] ?? "";
  return { code, computedSha256: textOf(root, "S3ComputedContentSHA256") };
}

/** A page of keys. */
export interface KeyPage {
  readonly keys: readonly string[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** The continuation token of the next page. */
  readonly nextToken: string | undefined;
}

/** Reads a ListObjectsV2 result; undefined for any other document. */
export function readKeyPage(document: Uint8Array): KeyPage | undefined {
  const root = parseXml(document, MAX_ELEMENTS);
  if (root?.name !== "ListBucketResult") return undefined;
  const keys = childrenOf(root, "Contents").map((entry) => textOf(entry, "Key") ?? "");
  const commonPrefixes = childrenOf(root, "CommonPrefixes").map((entry) => textOf(entry, "Prefix") ?? "");
  const nextToken = textOf(root, "NextContinuationToken");
  return { keys, commonPrefixes, isTruncated: textOf(root, "IsTruncated") === "true", nextToken };
}

/** The document of a quiet DeleteObjects call. */
export function deleteDocument(keys: readonly string[]): Uint8Array {
  const objects = keys.map((key) => element("Object", [element("Key", key)]));
  const root = element("Delete", [...objects, element("Quiet", true)], {
    xmlns: "http://s3.amazonaws.com/doc/2006-03-01/",
  });
  return utf8(renderXml(root));
}

/** The code of the first key that DeleteObjects did not delete; "" if the document is not a result. */
export function readDeleteFailure(document: Uint8Array): string | undefined {
  const root = parseXml(document, MAX_ELEMENTS);
  if (root?.name !== "DeleteResult") return "";
  const codes = childrenOf(root, "Error").map((error) => textOf(error, "Code") ?? "");
  return codes.find((code) => code !== "NoSuchKey");
}

function childrenOf(node: XmlNode, name: string): XmlNode[] {
  return node.children.filter((child) => child.name === name);
}

function textOf(node: XmlNode, name: string): string | undefined {
  return node.children.find((child) => child.name === name)?.text;
}

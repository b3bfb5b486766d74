// Tags of objects and buckets: documents, the `x-amz-tagging` header, and validation.
import { element, type XmlElement, type XmlNode } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "./document-body.ts";
import { S3_NAMESPACE, S3Error, invalidArgument } from "./s3-error.ts";
import { decodeText } from "./text-encodings.ts";

/** The most tags of an object, and of a bucket, where AWS allows 50. */
export const MAX_TAGS = 10;

const KEY_MAX_CHARACTERS = 128;
const VALUE_MAX_CHARACTERS = 256;

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/**
 * The tags of a Tagging document.
 * @throws S3Error MalformedXML, InvalidTag, BadRequest for more than ten
 */
export function parseTagging(document: Uint8Array, of: "object" | "bucket"): Tag[] {
  const set = singleChildren(parseDocument(document, "Tagging"), ["TagSet"]).get("TagSet");
  if (set === undefined) throw new S3Error("MalformedXML");
  return readTagSet(set, of);
}

/**
 * The tags of a TagResourceRequest.
 * @throws S3Error MalformedXML, InvalidTag, BadRequest for more than ten
 */
export function parseTagResource(document: Uint8Array): Tag[] {
  const set = singleChildren(parseDocument(document, "TagResourceRequest"), ["Tags"]).get("Tags");
  if (set === undefined) throw new S3Error("MalformedXML");
  return readTagSet(set, "bucket");
}

/** Adds tags to a set, replacing those with the same key. @throws S3Error BadRequest for more than ten */
export function mergeTags(old: readonly Tag[], set: readonly Tag[]): Tag[] {
  const merged = new Map([...old, ...set].map(({ key, value }) => [key, value]));
  const tags = Array.from(merged, ([key, value]) => ({ key, value }));
  checkTags(tags, "bucket");
  return tags;
}

/** Parses the Tag children of an element. @throws S3Error MalformedXML, InvalidTag, BadRequest for more than ten */
export function readTagSet(set: XmlNode, of: "object" | "bucket"): Tag[] {
  const tags = set.children.map((node) => {
    if (node.name !== "Tag") throw new S3Error("MalformedXML");
    const fields = singleChildren(node, ["Key", "Value"]);
    const [key, value] = [fields.get("Key"), fields.get("Value")];
    if (key === undefined || value === undefined) throw new S3Error("MalformedXML");
    return { key: key.text, value: value.text };
  });
  checkTags(tags, of);
  return tags;
}

/**
 * Parses an `x-amz-tagging` header, which has the syntax of a query string.
 * @throws S3Error InvalidArgument, InvalidTag, BadRequest for more than ten
 */
export function parseTaggingHeader(header: string | undefined): Tag[] {
  if (header === undefined || header === "") return [];
  const tags = header.split("&").map((pair) => {
    const equals = pair.indexOf("=");
    const key = decodeText("taggingHeader", equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : decodeText("taggingHeader", pair.slice(equals + 1));
    if (key === undefined || value === undefined || key === "") throw malformedHeader(header);
    return { key, value };
  });
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw malformedHeader(header);
  checkTags(tags, "object");
  return tags;
}

/**
 * Folds a tag key as IAM compares it: names of condition keys are case-insensitive, and so are the tag keys in them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function foldTagKey(key: string): string {
  return key.toLowerCase();
}

/** The condition keys for the tags that a request sets, by lower-case name. */
export function requestTagKeys(tags: readonly Tag[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  for (const { key, value } of tags) {
    // Tags that differ only in case share one condition key. It has all of their values, so that no value is hidden.
    const name = `s3:requestobjecttag/${foldTagKey(key)}`;
    keys.set(name, [...(keys.get(name) ?? []), value]);
  }
  const all = tags.map(({ key }) => key);
  return all.length === 0 ? keys : keys.set("s3:requestobjecttagkeys", all);
}

/** The condition keys for the tags that a request sets on a bucket, by lower-case name. */
export function resourceTagKeys(tags: readonly Tag[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  for (const { key, value } of tags) {
    const name = `aws:requesttag/${foldTagKey(key)}`;
    keys.set(name, [...(keys.get(name) ?? []), value]);
  }
  return tags.length === 0
    ? keys
    : keys.set(
        "aws:tagkeys",
        tags.map(({ key }) => key),
      );
}

/** A Tagging document. */
export function taggingElement(tags: readonly Tag[]): XmlElement {
  return element("Tagging", [element("TagSet", tagElements(tags))], { xmlns: S3_NAMESPACE });
}

/** The Tag elements of a set. */
export function tagElements(tags: readonly Tag[]): XmlElement[] {
  return tags.map(({ key, value }) => element("Tag", [element("Key", key), element("Value", value)]));
}

function checkTags(tags: readonly Tag[], of: "object" | "bucket"): void {
  if (tags.length > MAX_TAGS) {
    const name = of === "object" ? "Object" : "Bucket";
    throw new S3Error("BadRequest", {}, `${name} tags cannot be greater than ${MAX_TAGS}`);
  }
  for (const { key, value } of tags) {
    if (/^aws:/i.test(key)) {
      const message =
        of === "object"
          ? "Your TagKey cannot be prefixed with aws:"
          : "System tags cannot be added/updated by requester";
      throw new S3Error("InvalidTag", { TagKey: key }, message);
    }
    if (!isTagText(key, 1, KEY_MAX_CHARACTERS)) {
      throw new S3Error("InvalidTag", { TagKey: key }, "The TagKey you have provided is invalid");
    }
    if (!isTagText(value, 0, VALUE_MAX_CHARACTERS)) {
      throw new S3Error("InvalidTag", { TagKey: key, TagValue: value }, "The TagValue you have provided is invalid");
    }
  }
  const keys = tags.map(({ key }) => key);
  const repeated = keys.find((key, index) => keys.indexOf(key) < index);
  if (repeated !== undefined) {
    throw new S3Error("InvalidTag", { TagKey: repeated }, "Cannot provide multiple Tags with the same key");
  }
}

/** Whether an object or a bucket may have a tag with this key. */
export function isTagKey(key: string): boolean {
  return isTagText(key, 1, KEY_MAX_CHARACTERS);
}

function isTagText(text: string, least: number, most: number): boolean {
  const { length } = Array.from(text);
  return length >= least && length <= most && /^[\p{L}\p{N}\p{M}\p{Z}+\-=._:/@]*$/u.test(text);
}

function malformedHeader(header: string): S3Error {
  return invalidArgument(
    "x-amz-tagging",
    header,
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
  );
}

// Parses LifecycleConfiguration documents; lifecycle-checks.ts validates the rules.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
import { parseIsoDate } from "../../bytes/dates.ts";
import { randomDigits } from "../../bytes/random-id.ts";
import { utf8Length } from "../../bytes/text.ts";
import type { XmlNode } from "../../bytes/xml.ts";
import { parseDocument, singleChildren } from "../core/document-body.ts";
import { checkRules } from "./lifecycle-checks.ts";
import {
  lifecycleText,
  TRANSITION_CLASSES,
  type Expiration,
  type LifecycleConfiguration,
  type LifecycleFilter,
  type LifecycleRule,
  type NoncurrentExpiration,
  type NoncurrentTransition,
  type Transition,
  type TransitionMinimum,
  type DaysOrDate,
} from "./lifecycle.ts";
import { S3Error } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";
import type { Tag } from "../core/tagging.ts";

export const TRANSITION_MINIMUM_HEADER = "x-amz-transition-default-minimum-object-size";

/** The largest stored form in bytes: it shares a row of at most 2 MB with the bucket's other configurations. */
const STORED_MAX_BYTES = 1_500_000;
const MAX_INTEGER = 2_147_483_647;
const ID_DIGITS = 32;

/** The most elements of a document: 1000 rules of up to 50 elements. */
const MAX_ELEMENTS = 50_000;

/** Reads the header of a configuration's TransitionMinimum. @throws S3Error InvalidRequest */
export function readTransitionMinimum(request: S3Request): TransitionMinimum {
  const value = requestHeader(request, TRANSITION_MINIMUM_HEADER) ?? "all_storage_classes_128K";
  if (value === "all_storage_classes_128K" || value === "varies_by_storage_class") return value;
  throw new S3Error("InvalidRequest", {}, "Invalid TransitionDefaultMinimumObjectSize found");
}

/**
 * Parses a configuration. Rules without an ID get a random one.
 * @throws S3Error MalformedXML, InvalidRequest, InvalidArgument, EntityTooLarge {ProposedSize, MaxSizeAllowed}
 */
export function parseLifecycle(document: Uint8Array, transitionMinimum: TransitionMinimum): LifecycleConfiguration {
  const rules = parseDocument(document, "LifecycleConfiguration", MAX_ELEMENTS).children.map(parseRule);
  checkRules(rules);
  const configuration = { revision: randomDigits(ID_DIGITS), transitionMinimum, rules };
  const size = utf8Length(lifecycleText(configuration));
  if (size <= STORED_MAX_BYTES) return configuration;
  throw new S3Error("EntityTooLarge", { ProposedSize: size, MaxSizeAllowed: STORED_MAX_BYTES });
}

const SINGLE_ELEMENTS = [
  "ID",
  "Prefix",
  "Filter",
  "Status",
  "Expiration",
  "NoncurrentVersionExpiration",
  "AbortIncompleteMultipartUpload",
];
const REPEATED_ELEMENTS = new Set(["Transition", "NoncurrentVersionTransition"]);

function parseRule(node: XmlNode): LifecycleRule {
  if (node.name !== "Rule") throw new S3Error("MalformedXML");
  const repeated = node.children.filter(({ name }) => REPEATED_ELEMENTS.has(name));
  const others = node.children.filter(({ name }) => !REPEATED_ELEMENTS.has(name));
  const single = singleChildren({ ...node, children: others }, SINGLE_ELEMENTS);
  const status = requireText(single, "Status").trim();
  if (status !== "Enabled" && status !== "Disabled") throw new S3Error("MalformedXML");
  const id = textOf(single.get("ID")) ?? "";
  const abort = single.get("AbortIncompleteMultipartUpload");
  return {
    id: id === "" ? randomDigits(ID_DIGITS) : id,
    isEnabled: status === "Enabled",
    filter: parseScope(single.get("Prefix"), single.get("Filter")),
    expiration: parsed(single.get("Expiration"), parseExpiration),
    transitions: repeated.filter(({ name }) => name === "Transition").map(parseTransition),
    noncurrentExpiration: parsed(single.get("NoncurrentVersionExpiration"), parseNoncurrentExpiration),
    noncurrentTransitions: repeated
      .filter(({ name }) => name === "NoncurrentVersionTransition")
      .map(parseNoncurrentTransition),
    abortAfterDays: parsed(abort, (element) => {
      const fields = singleChildren(element, ["DaysAfterInitiation"]);
      return parseInteger(requireText(fields, "DaysAfterInitiation"));
    }),
  };
}

/** A rule selects objects by its own Prefix (V1) or by a Filter (V2). */
function parseScope(prefix: XmlNode | undefined, filter: XmlNode | undefined): LifecycleFilter {
  if ((prefix === undefined) === (filter === undefined)) throw new S3Error("MalformedXML");
  if (filter === undefined) return { ...NO_FILTER, form: "prefix", prefix: textOf(prefix) };
  const [only, ...more] = filter.children;
  if (more.length > 0) throw new S3Error("MalformedXML");
  if (only?.name !== "And") return { ...parsePredicates(filter), form: "filter" };
  if (only.children.length < 2) throw new S3Error("MalformedXML");
  return { ...parsePredicates(only), form: "and" };
}

const NO_FILTER = { prefix: undefined, tags: [], sizeGreaterThan: undefined, sizeLessThan: undefined };

function parsePredicates(node: XmlNode): Omit<LifecycleFilter, "form"> {
  const tags = node.children.filter(({ name }) => name === "Tag");
  const others = node.children.filter(({ name }) => name !== "Tag");
  const single = singleChildren({ ...node, children: others }, [
    "Prefix",
    "ObjectSizeGreaterThan",
    "ObjectSizeLessThan",
  ]);
  return {
    prefix: textOf(single.get("Prefix")),
    tags: tags.map(parseTag),
    sizeGreaterThan: parsed(single.get("ObjectSizeGreaterThan"), ({ text }) => parseSize(text)),
    sizeLessThan: parsed(single.get("ObjectSizeLessThan"), ({ text }) => parseSize(text)),
  };
}

function parseTag(node: XmlNode): Tag {
  const fields = singleChildren(node, ["Key", "Value"]);
  const tag = { key: requireText(fields, "Key"), value: requireText(fields, "Value") };
  if (tag.key === "") throw new S3Error("MalformedXML");
  return tag;
}

function parseExpiration(node: XmlNode): Expiration {
  const fields = singleChildren(node, ["Days", "Date", "ExpiredObjectDeleteMarker"]);
  if (fields.size !== 1) throw new S3Error("MalformedXML");
  const marker = textOf(fields.get("ExpiredObjectDeleteMarker"))?.trim();
  if (marker === undefined) return parseDaysOrDate(fields);
  if (marker !== "true" && marker !== "false") throw new S3Error("MalformedXML");
  return { isForMarkers: marker === "true" };
}

function parseTransition(node: XmlNode): Transition {
  const fields = singleChildren(node, ["Days", "Date", "StorageClass"]);
  if (fields.size !== 2) throw new S3Error("MalformedXML");
  return { ...parseDaysOrDate(fields), storageClass: parseClass(fields) };
}

function parseDaysOrDate(fields: ReadonlyMap<string, XmlNode>): DaysOrDate {
  const date = textOf(fields.get("Date"));
  if (date === undefined) return { days: parseInteger(requireText(fields, "Days")) };
  const time = parseIsoDate(date.trim().replace(/[+-]00:?00$/, "Z"));
  if (time === undefined) throw new S3Error("MalformedXML");
  return { date: time };
}

function parseNoncurrentExpiration(node: XmlNode): NoncurrentExpiration {
  return parseNoncurrent(singleChildren(node, ["NoncurrentDays", "NewerNoncurrentVersions"]));
}

function parseNoncurrentTransition(node: XmlNode): NoncurrentTransition {
  const fields = singleChildren(node, ["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"]);
  return { ...parseNoncurrent(fields), storageClass: parseClass(fields) };
}

function parseNoncurrent(fields: ReadonlyMap<string, XmlNode>): NoncurrentExpiration {
  return {
    noncurrentDays: parseInteger(requireText(fields, "NoncurrentDays")),
    newerVersions: parsed(fields.get("NewerNoncurrentVersions"), ({ text }) => parseInteger(text)),
  };
}

function parseClass(fields: ReadonlyMap<string, XmlNode>): string {
  const storageClass = requireText(fields, "StorageClass").trim();
  if (!TRANSITION_CLASSES.includes(storageClass)) throw new S3Error("MalformedXML");
  return storageClass;
}

/** An xs:int. */
function parseInteger(text: string): number {
  const value = /^[+-]?\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(Math.abs(value) <= MAX_INTEGER)) throw new S3Error("MalformedXML");
  return value;
}

/** An xs:long; sizes stay within JavaScript's exact integers. */
function parseSize(text: string): number {
  if (!/^[+-]?\d{1,19}$/.test(text.trim())) throw new S3Error("MalformedXML");
  return Number(text);
}

function parsed<Value>(node: XmlNode | undefined, parse: (node: XmlNode) => Value): Value | undefined {
  return node === undefined ? undefined : parse(node);
}

function textOf(node: XmlNode | undefined): string | undefined {
  if (node !== undefined && node.children.length > 0) throw new S3Error("MalformedXML");
  return node?.text;
}

function requireText(fields: ReadonlyMap<string, XmlNode>, name: string): string {
  const text = textOf(fields.get(name));
  if (text === undefined) throw new S3Error("MalformedXML");
  return text;
}

// Parses the parameters of QueryBucket (docs/search.md). The grammar is strict: an unknown, repeated, malformed or
// contradictory parameter is an error, so that a misspelt filter never widens a result.
import { parseIsoDate } from "../../bytes/dates.ts";
import { invalidArgument } from "../core/s3-error.ts";
import type { Query } from "../core/query.ts";
import { METADATA_NAME } from "../objects/object-metadata.ts";
import { STORAGE_CLASSES } from "../objects/upload-headers.ts";

/** Parameters with fixed names, apart from those of presigned URLs and `x-id`. */
export const QUERY_PARAMETERS = [
  "query",
  "prefix",
  "suffix",
  "contains",
  "glob",
  "min-size",
  "max-size",
  "modified-after",
  "modified-before",
  "content-type",
  "storage-class",
  "include",
  "scan",
  "max-keys",
  "continuation-token",
  "encoding-type",
] as const;

/** A tag or a user metadata entry that an object must have, with this value or a value that begins with it. */
export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** The conditions of a query; an object must meet all of them. */
export interface ObjectQuery {
  readonly prefix: string;
  readonly suffix: string;
  readonly contains: string;
  /** `*` matches any text, `?` one character; undefined: every key. */
  readonly glob: string | undefined;
  readonly tags: readonly NamedValue[];
  readonly tagPrefixes: readonly NamedValue[];
  /** By lower-case name, without `x-amz-meta-`. */
  readonly metadata: readonly NamedValue[];
  readonly metadataPrefixes: readonly NamedValue[];
  /** Bytes, inclusive. */
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly modifiedAfter: number | undefined;
  /** Milliseconds since the epoch, exclusive. */
  readonly modifiedBefore: number | undefined;
  /** A media type in lower case, or `type/*`. */
  readonly contentType: string | undefined;
  readonly storageClass: string | undefined;
  readonly includesTags: boolean;
  readonly includesMetadata: boolean;
}

/** The families of parameters whose names contain the name of a tag or a metadata entry. */
export const QUERY_FAMILIES = ["tag.", "tag-prefix.", "meta.", "meta-prefix."] as const;
type Family = (typeof QUERY_FAMILIES)[number];

const TEXT_MAX_CHARACTERS = 1024;
const GLOB_MAX_CHARACTERS = 256;
const MAX_NAMED = 10;
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/;

/** @throws S3Error InvalidArgument {ArgumentName, ArgumentValue} */
export function readObjectQuery(query: Query): ObjectQuery {
  refuseUnknown(query);
  if (query.get("query") !== "") throw refusal(query, "query", "The parameter takes no value.");
  const read: ObjectQuery = {
    prefix: textOf(query, "prefix"),
    suffix: textOf(query, "suffix"),
    contains: textOf(query, "contains"),
    glob: globOf(query),
    tags: namedValues(query, "tag.", (name) => name),
    tagPrefixes: namedValues(query, "tag-prefix.", (name) => name),
    metadata: namedValues(query, "meta.", metadataName),
    metadataPrefixes: namedValues(query, "meta-prefix.", metadataName),
    minSize: sizeOf(query, "min-size"),
    maxSize: sizeOf(query, "max-size"),
    modifiedAfter: timeOf(query, "modified-after"),
    modifiedBefore: timeOf(query, "modified-before"),
    contentType: mediaType(query),
    storageClass: storageClass(query),
    ...inclusions(query),
  };
  refuseEmptyRanges(query, read);
  refuseOtherBeginnings("tag-prefix.", read.tags, read.tagPrefixes);
  refuseOtherBeginnings("meta-prefix.", read.metadata, read.metadataPrefixes);
  return read;
}

/** Whether the query may examine every object of its range, page by page. @throws S3Error InvalidArgument */
export function readScan(query: Query): boolean {
  const text = query.get("scan");
  if (text !== undefined && text !== "true") throw refusal(query, "scan", "The value must be true.");
  return text !== undefined;
}

function refuseUnknown({ parameters }: Query): void {
  const seen = new Set<string>();
  for (const { name, value } of parameters) {
    // The signature of a presigned URL covers these, and SDKs add the last.
    if (/^x-(?:amz-|id$)/i.test(name)) continue;
    const isKnown = isFixed(name) || QUERY_FAMILIES.some((family) => name.startsWith(family));
    if (!isKnown) throw invalidArgument(name, value, "A query has no such parameter.");
    if (seen.has(name)) throw invalidArgument(name, value, "The parameter is given more than once.");
    seen.add(name);
  }
}

function isFixed(name: string): boolean {
  return QUERY_PARAMETERS.some((parameter) => parameter === name);
}

function textOf(query: Query, name: string): string {
  const text = query.get(name) ?? "";
  if (text.length > TEXT_MAX_CHARACTERS) throw refusal(query, name, "The text is longer than a key can be.");
  return text;
}

function globOf(query: Query): string | undefined {
  const glob = query.get("glob");
  if (glob === undefined || (glob !== "" && glob.length <= GLOB_MAX_CHARACTERS)) return glob;
  throw refusal(query, "glob", `A pattern has 1 to ${GLOB_MAX_CHARACTERS} characters.`);
}

function namedValues(query: Query, family: Family, nameOf: (name: string) => string | undefined): NamedValue[] {
  const values: NamedValue[] = [];
  for (const { name: parameter, value } of query.parameters) {
    if (!parameter.startsWith(family)) continue;
    const name = nameOf(parameter.slice(family.length));
    if (name === undefined || name === "") throw invalidArgument(parameter, value, "The parameter's name is invalid.");
    if (values.some((known) => known.name === name)) {
      throw invalidArgument(parameter, value, "The parameter is given more than once.");
    }
    values.push({ name, value });
  }
  const last = values[MAX_NAMED];
  if (last !== undefined) {
    throw invalidArgument(family + last.name, last.value, `A query has at most ${MAX_NAMED} filters of this kind.`);
  }
  return values.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function metadataName(name: string): string | undefined {
  return METADATA_NAME.test(name) ? name.toLowerCase() : undefined;
}

function sizeOf(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(size)) return size;
  throw refusal(query, name, "The size must be a whole number of bytes.");
}

function timeOf(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const time = parseIsoDate(text);
  if (time === undefined) throw refusal(query, name, "The time must be in the form 2026-01-02T03:04:05Z.");
  return time;
}

function mediaType(query: Query): string | undefined {
  const text = query.get("content-type")?.toLowerCase();
  if (text === undefined || MEDIA_TYPE.test(text)) return text;
  throw refusal(query, "content-type", "The value must be a media type without parameters, or type/*.");
}

function storageClass(query: Query): string | undefined {
  const text = query.get("storage-class");
  if (text === undefined || STORAGE_CLASSES.has(text)) return text;
  throw refusal(query, "storage-class", "The storage class you specified is not valid");
}

function inclusions(query: Query): Pick<ObjectQuery, "includesTags" | "includesMetadata"> {
  const names = query.get("include")?.split(",") ?? [];
  const isKnown = names.every((name) => name === "tags" || name === "metadata");
  if (!isKnown || new Set(names).size < names.length) {
    throw refusal(query, "include", "The value must be tags, metadata or tags,metadata.");
  }
  return { includesTags: names.includes("tags"), includesMetadata: names.includes("metadata") };
}

/** Ranges that no object can be in are mistakes. */
function refuseEmptyRanges(query: Query, read: ObjectQuery): void {
  const { minSize, maxSize, modifiedAfter, modifiedBefore } = read;
  if (minSize !== undefined && maxSize !== undefined && minSize > maxSize) {
    throw refusal(query, "max-size", "max-size is less than min-size.");
  }
  if (modifiedAfter !== undefined && modifiedBefore !== undefined && modifiedAfter >= modifiedBefore) {
    throw refusal(query, "modified-before", "modified-before is not later than modified-after.");
  }
}

/** A value that does not begin with the prefix of its name is a mistake. */
function refuseOtherBeginnings(family: Family, values: readonly NamedValue[], prefixes: readonly NamedValue[]): void {
  for (const { name, value: prefix } of prefixes) {
    const value = values.find((one) => one.name === name)?.value ?? prefix;
    if (!value.startsWith(prefix)) {
      throw invalidArgument(family + name, prefix, "The value that the query asks for does not begin with this.");
    }
  }
}

function refusal(query: Query, name: string, message: string): Error {
  return invalidArgument(name, query.get(name), message);
}

// QueryBucket, a search over all current objects of a bucket: docs/search.md.
import { getXml } from "./buckets.ts";
import type { Connection, Query } from "./connection.ts";
import { listedObject, type ObjectPage } from "./objects.ts";
import { bucketPath } from "./paths.ts";
import { childrenOf, optionalText } from "./xml.ts";

export interface NamedValue {
  readonly name: string;
  readonly value: string;
}

/** Conditions; an object must meet every one that is not empty. */
export interface SearchConditions {
  /** A part of the key, or a pattern with `*` and `?` for the whole key. */
  readonly text: string;
  readonly prefix: string;
  readonly suffix: string;
  /** By name; an entry without a value matches any value. */
  readonly tags: readonly NamedValue[];
  /** Of the user metadata. */
  readonly metadata: readonly NamedValue[];
  /** `image/*` for a whole type. */
  readonly contentType: string;
  readonly storageClass: string;
  /** In bytes. */
  readonly minSize: number | undefined;
  readonly maxSize: number | undefined;
  /** In ms. */
  readonly modifiedAfter: number | undefined;
  readonly modifiedBefore: number | undefined;
}

export interface SearchOptions {
  /** Examines every object, page by page; pages may be empty. */
  readonly scans: boolean;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * A page of the objects that match the conditions.
 * @throws ServiceError QueryTooBroad if too many objects would have to be examined, and the search does not scan
 */
export async function searchObjects(
  connection: Connection,
  bucket: string,
  conditions: SearchConditions,
  { scans, token, signal }: SearchOptions,
): Promise<ObjectPage> {
  const query = {
    query: "",
    "encoding-type": "url",
    ...conditionsOf(conditions),
    scan: scans ? "true" : undefined,
    "continuation-token": token,
  };
  const root = await getXml(connection, bucketPath(bucket), query, signal);
  return {
    objects: childrenOf(root, "Contents").map(listedObject),
    prefixes: [],
    nextToken: optionalText(root, "NextContinuationToken"),
  };
}

function conditionsOf(conditions: SearchConditions): Query {
  const { text, prefix, suffix, contentType, storageClass } = conditions;
  const { minSize, maxSize, modifiedAfter, modifiedBefore } = conditions;
  return {
    [/[*?]/.test(text) ? "glob" : "contains"]: text === "" ? undefined : text,
    prefix: prefix === "" ? undefined : prefix,
    suffix: suffix === "" ? undefined : suffix,
    ...named("tag", conditions.tags),
    ...named("meta", conditions.metadata),
    "content-type": contentType === "" ? undefined : contentType,
    "storage-class": storageClass === "" ? undefined : storageClass,
    "min-size": minSize,
    "max-size": maxSize,
    "modified-after": timeOf(modifiedAfter),
    "modified-before": timeOf(modifiedBefore),
  };
}

/** An empty value is the beginning of all values. */
function named(kind: "tag" | "meta", entries: readonly NamedValue[]): Query {
  return Object.fromEntries(
    entries.map(({ name, value }) => [`${kind}${value === "" ? "-prefix" : ""}.${name}`, value] as const),
  );
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

// Finds the keys of a query by the indexes of its bucket (docs/search.md). A condition whose entries are few selects all
// of its keys; one on an exact value selects them in their order, page by page.
import { compareUtf8, successorOfPrefix } from "../../bytes/text.ts";
import { EVERY_NAME, type IndexKind } from "../../protocol/buckets/query-configuration.ts";
import type { ObjectQuery } from "../../protocol/listings/object-query.ts";
import { rowsOf, statement, type Database, type SqlValue, type Statement } from "../d1/database.ts";
import { lookUpQueryIndexes, type StoredIndex } from "../metadata/query-indexes.ts";
import { endOfRange, type QueryRange } from "./query-listing.ts";

/** The most entries that one request reads. Each costs a row, and one of the object. */
const MAX_ENTRIES = 3000;
/** The most conditions that one request compares. */
const MAX_COMPARED = 10;

/** A condition that an index can find. */
interface IndexCondition {
  readonly kind: IndexKind;
  /** The name of the tag or metadata entry; empty for others. */
  readonly name: string;
  /** The value, or the first value of a range; undefined: no lower bound. */
  readonly from: string | number | undefined;
  /** The end of a range; undefined: no upper bound; "value": only `from`. */
  readonly to: { readonly before: string | number } | { readonly through: number } | "value" | undefined;
}

interface UsableCondition extends IndexCondition {
  readonly index: StoredIndex;
}

/** Keys in their order that may match, and how far they reach. */
export interface SelectedKeys {
  readonly keys: readonly string[];
  /** The last key that was examined; undefined: no further key can match. */
  readonly through: string | undefined;
}

function ofValue(kind: IndexKind, name: string, value: string): IndexCondition {
  return { kind, name, from: value, to: "value" };
}

function ofPrefix(kind: IndexKind, name: string, prefix: string): IndexCondition {
  const before = successorOfPrefix(prefix);
  return { kind, name, from: prefix, to: before === undefined ? undefined : { before } };
}

/** The conditions of a query that an index can find, those on exact values first. */
export function indexableConditions(query: ObjectQuery): IndexCondition[] {
  const { tags, tagPrefixes, metadata, metadataPrefixes, contentType, storageClass } = query;
  const { minSize, maxSize, modifiedAfter, modifiedBefore } = query;
  const conditions = [
    ...tags.map(({ name, value }) => ofValue("tag", name, value)),
    ...metadata.map(({ name, value }) => ofValue("meta", name, value)),
    ...(contentType === undefined || contentType.endsWith("/*") ? [] : [ofValue("type", "", contentType)]),
    ...(storageClass === undefined ? [] : [ofValue("class", "", storageClass)]),
    ...tagPrefixes.map(({ name, value }) => ofPrefix("tag", name, value)),
    ...metadataPrefixes.map(({ name, value }) => ofPrefix("meta", name, value)),
    ...(contentType?.endsWith("/*") === true ? [ofPrefix("type", "", contentType.slice(0, -1))] : []),
  ];
  if (minSize !== undefined || maxSize !== undefined) {
    const to = maxSize === undefined ? undefined : { through: maxSize };
    conditions.push({ kind: "size", name: "", from: minSize, to });
  }
  if (modifiedAfter !== undefined || modifiedBefore !== undefined) {
    const to = modifiedBefore === undefined ? undefined : { before: modifiedBefore };
    conditions.push({ kind: "time", name: "", from: modifiedAfter, to });
  }
  // SQLite ends a text in JSON at a NUL, so the entry of such a value has another one.
  return conditions.filter(({ from }) => typeof from !== "string" || !from.includes("\0"));
}

/** The conditions for which the bucket has a complete index. */
function usableConditions(query: ObjectQuery, indexes: readonly StoredIndex[]): UsableCondition[] {
  return indexableConditions(query).flatMap((condition) => {
    const index = indexes.find(
      ({ kind, name, isComplete }) =>
        isComplete && kind === condition.kind && (name === condition.name || name === EVERY_NAME),
    );
    return index === undefined ? [] : [{ ...condition, index }];
  });
}

/**
 * Selects keys of a range by the bucket's indexes, in one round trip.
 * @param indexes the indexes that the bucket has
 * @returns undefined if no index bounds the query
 */
export async function selectKeys(
  database: Database,
  bucketName: string,
  query: ObjectQuery,
  indexes: readonly StoredIndex[],
  range: QueryRange,
): Promise<SelectedKeys | undefined> {
  const compared = usableConditions(query, indexes).slice(0, MAX_COMPARED);
  if (compared.length === 0) return undefined;
  const limit = Math.floor(MAX_ENTRIES / compared.length);
  const still = lookUpQueryIndexes(bucketName);
  const results = await database.batch([
    ...still.statements,
    ...compared.map((condition) => selectEntries(condition, range, limit)),
  ]);
  // An index that was deleted meanwhile may be purged in part.
  const now = new Set(still.read(results).indexes.map(({ id }) => id));
  if (compared.some(({ index }) => !now.has(index.id))) return undefined;
  const found = compared.map((condition, index) => {
    const keys = rowsOf<{ readonly key: string }>(results, index + 1).map(({ key }) => key);
    return { condition, keys, isWhole: keys.length < limit };
  });
  const whole = found.filter(({ isWhole }) => isWhole);
  const [fewest] = whole.toSorted((one, other) => one.keys.length - other.keys.length);
  if (fewest !== undefined) return { keys: keysIn(range, fewest.keys), through: undefined };
  const ordered = found.filter(({ condition }) => condition.to === "value");
  const [furthest] = ordered.toSorted((one, other) => compareUtf8(other.keys.at(-1) ?? "", one.keys.at(-1) ?? ""));
  return furthest && { keys: furthest.keys, through: furthest.keys.at(-1) };
}

/** Selects the first entries of a condition: of a value those in the range of keys, in their order. */
function selectEntries({ index, name, from, to }: UsableCondition, range: QueryRange, limit: number): Statement {
  const parameters: SqlValue[] = [index.id, name, limit];
  const bind = (value: SqlValue): string => `?${parameters.push(value)}`;
  const conditions = ["index_id = ?1", "name = ?2"];
  if (from !== undefined) conditions.push(`value ${to === "value" ? "=" : ">="} ${bind(from)}`);
  if (to === "value") conditions.push(`key >= ${bind(range.from)}`, `key < ${bind(endOfRange(range.prefix))}`);
  else if (to !== undefined)
    conditions.push("before" in to ? `value < ${bind(to.before)}` : `value <= ${bind(to.through)}`);
  const order = to === "value" ? "key" : "value, key";
  return statement(
    `SELECT key FROM query_entries WHERE ${conditions.join(" AND ")} ORDER BY ${order} LIMIT ?3`,
    ...parameters,
  );
}

function keysIn({ from, prefix }: QueryRange, keys: readonly string[]): string[] {
  return keys.filter((key) => key.startsWith(prefix) && compareUtf8(key, from) >= 0).toSorted(compareUtf8);
}

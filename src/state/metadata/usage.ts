// Counts a bucket's objects and bytes on request. A running count would add a written row to every write, and written
// rows cost a thousand times as much as read ones. Each statement counts one range of keys, so that none blocks the
// database for long.
import { successorOfPrefix } from "../../bytes/text.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";

/** The counts of a range of keys. Bytes are object sizes; copies that share a blob count once each. */
export interface Usage {
  readonly objects: number;
  readonly objectBytes: number;
  /** Noncurrent versions, without delete markers. */
  readonly versions: number;
  readonly versionBytes: number;
  readonly deleteMarkers: number;
  /** Open multipart uploads. */
  readonly uploads: number;
  readonly parts: number;
  readonly partBytes: number;
}

const NO_USAGE: Usage = {
  objects: 0,
  objectBytes: 0,
  versions: 0,
  versionBytes: 0,
  deleteMarkers: 0,
  uploads: 0,
  parts: 0,
  partBytes: 0,
};

export interface UsageFacts {
  readonly usage: Usage;
  /** Where the next range begins; undefined: this was the last. */
  readonly next: string | undefined;
}

/** The keys with a prefix, from `from` on (inclusive, in byte order). */
export interface UsageRange {
  readonly prefix: string;
  readonly from: string;
}

/** The most rows of one table in a range. A single key with more rows forms a range of its own. */
const RANGE_ROWS = 10_000;
const BUCKET_ID = "(SELECT id FROM buckets WHERE name = ?1)";
// Keys have at most 1024 bytes.
const AFTER_ALL_KEYS = "\u{10ffff}".repeat(257);

const inRange = (table: string): string =>
  `${table}.bucket_id = ${BUCKET_ID} AND ${table}.key >= ?2 AND ${table}.key < `;

const nth = (table: string): string =>
  `SELECT (SELECT t.key FROM ${table} t WHERE ${inRange("t")} ?3 ORDER BY t.key LIMIT 1 OFFSET ?4) AS key`;
const counts = (columns: string, tables: string, first: string): string =>
  `(SELECT json_array(${columns}) FROM ${tables} WHERE ${inRange(first)} (SELECT key FROM bound))`;

/** Counts a range of keys in one transaction. */
export function lookUpUsage(bucketName: string, { prefix, from }: UsageRange): Lookup<UsageFacts> {
  return {
    statements: [
      statement(
        `WITH found (key) AS (${["objects", "versions", "uploads"].map(nth).join(" UNION ALL ")}),
           next (key) AS MATERIALIZED (SELECT CASE min(key) WHEN ?2 THEN ?2 || char(0) ELSE min(key) END FROM found),
           bound (key) AS MATERIALIZED (SELECT coalesce(key, ?3) FROM next)
         SELECT (SELECT key FROM next) AS next,
           ${counts("count(*), coalesce(sum(o.size), 0)", "objects o", "o")} AS objects,
           ${counts(
             "count(*) - coalesce(sum(v.is_delete_marker), 0), coalesce(sum(v.size), 0), coalesce(sum(v.is_delete_marker), 0)",
             "versions v",
             "v",
           )} AS versions,
           ${counts("count(*)", "uploads u", "u")} AS uploads,
           ${counts("count(*), coalesce(sum(p.size), 0)", "uploads u CROSS JOIN parts p USING (upload_id)", "u")} AS parts`,
        bucketName,
        from,
        successorOfPrefix(prefix) ?? AFTER_ALL_KEYS,
        RANGE_ROWS,
      ),
    ],
    read: (results) => {
      const row = rowsOf<UsageRow>(results)[0];
      if (row === undefined) return { usage: NO_USAGE, next: undefined };
      const [objects = 0, objectBytes = 0] = numbers(row.objects);
      const [versions = 0, versionBytes = 0, deleteMarkers = 0] = numbers(row.versions);
      const [uploads = 0] = numbers(row.uploads);
      const [parts = 0, partBytes = 0] = numbers(row.parts);
      const usage = { objects, objectBytes, versions, versionBytes, deleteMarkers, uploads, parts, partBytes };
      return { usage, next: row.next ?? undefined };
    },
  };
}

interface UsageRow {
  readonly next: string | null;
  /** JSON arrays of numbers. */
  readonly objects: string;
  readonly versions: string;
  readonly uploads: string;
  readonly parts: string;
}

function numbers(json: string): readonly number[] {
  // json_array in the statement above writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(json) as number[];
}

/** Adds the counts of two ranges. */
export function addUsage(one: Usage, other: Usage): Usage {
  return {
    objects: one.objects + other.objects,
    objectBytes: one.objectBytes + other.objectBytes,
    versions: one.versions + other.versions,
    versionBytes: one.versionBytes + other.versionBytes,
    deleteMarkers: one.deleteMarkers + other.deleteMarkers,
    uploads: one.uploads + other.uploads,
    parts: one.parts + other.parts,
    partBytes: one.partBytes + other.partBytes,
  };
}

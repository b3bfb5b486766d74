// Looks up what a copy or a rename within one bucket needs, in one statement: the bucket, the source's current version and
// the destination's head. The database takes time for each statement and each column, and two would read the bucket twice.
import { statement, rowsOf, type Lookup, type SqlValue } from "../d1/database.ts";
import { headColumn, headFromColumn, type HeadsFacts } from "../commit/heads.ts";
import { BUCKET_COLUMNS, bucketFromRow, type BucketRow } from "../metadata/buckets.ts";
import { OBJECT_COLUMNS, objectFromRow, type ObjectRow } from "../metadata/object-columns.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";

/** A bucket, the head of the destination, and the source. */
export interface TransferFacts extends HeadsFacts {
  /** The current version of the first candidate that has one. */
  readonly object: StoredObject | undefined;
  /** Whether any version of the source's key has annotations. */
  readonly isAnnotated: boolean;
  /** The value of the further column; null without one. */
  readonly further: SqlValue;
}

interface TransferColumns {
  readonly destination: string | null;
  readonly is_annotated: number;
  readonly further: SqlValue;
}

/** One more column of the row. */
interface FurtherColumn {
  /** An SQL expression on the bucket `b`. Its parameter is `?4`. */
  readonly sql: string;
  readonly parameter: SqlValue;
}

/**
 * Looks up a source and a destination in one bucket.
 * @param candidates the keys that the source may mean, most likely first
 */
export function lookUpTransfer(
  bucketName: string,
  candidates: readonly string[],
  destination: string,
  further?: FurtherColumn,
): Lookup<TransferFacts> {
  return {
    statements: [
      statement(
        `SELECT ${BUCKET_COLUMNS}, ${OBJECT_COLUMNS}, ${headColumn("b.id", "?3")} AS destination,
           EXISTS (SELECT 1 FROM annotations a WHERE a.bucket_id = b.id AND a.key = o.key) AS is_annotated,
           ${further?.sql ?? "NULL"} AS further
         FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.id AND o.key = ${sourceKey(candidates)} WHERE b.name = ?1`,
        bucketName,
        candidates.length === 1 ? (candidates[0] ?? "") : JSON.stringify(candidates),
        destination,
        ...(further === undefined ? [] : [further.parameter]),
      ),
    ],
    read(results) {
      const row = rowsOf<BucketRow & (ObjectRow | AbsentRow) & TransferColumns>(results)[0];
      if (row === undefined) return NO_BUCKET;
      return {
        bucket: bucketFromRow(row),
        object: isPresent(row) ? objectFromRow(row) : undefined,
        heads: new Map([[destination, headFromColumn(row.destination)]]),
        isAnnotated: row.is_annotated === 1,
        further: row.further,
      };
    },
  };
}

const NO_BUCKET: TransferFacts = {
  bucket: undefined,
  object: undefined,
  heads: new Map(),
  isAnnotated: false,
  further: null,
};

function sourceKey(candidates: readonly string[]): string {
  if (candidates.length === 1) return "?2";
  return `(SELECT c.value FROM json_each(?2) c CROSS JOIN objects x ON x.bucket_id = b.id AND x.key = c.value
    ORDER BY c.key LIMIT 1)`;
}

/** The row of a missing source. */
interface AbsentRow {
  readonly key: null;
}

function isPresent<Present extends { readonly key: string }>(row: Present | AbsentRow): row is Present {
  return row.key !== null;
}

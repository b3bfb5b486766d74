// Counted requests: by day, bucket and access key for reports, and by operation for metrics. The first database has them.
// Isolates add what they have counted; the sequence of each isolate keeps a repeated addition from counting twice.
import type { RequestClass } from "../../protocol/core/request-class.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** The requests of one day, bucket and access key. */
export interface UsageCount {
  /** YYYY-MM-DD, UTC. */
  readonly day: string;
  readonly bucketId: string;
  readonly bucketName: string;
  readonly accessKeyId: string;
  readonly requests: Readonly<Record<RequestClass, number>>;
  /** Of the requests, those with a status of 400 or more. */
  readonly errors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** The requests of one operation with one class of status. */
export interface OperationCount {
  readonly operation: string;
  /** 2xx, 3xx, 4xx or 5xx. */
  readonly status: string;
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly milliseconds: number;
}

/** What an isolate has counted since its previous addition. */
export interface CountedRequests {
  readonly usage: readonly UsageCount[];
  readonly operations: readonly OperationCount[];
}

/** Identifies an addition. */
export interface Addition {
  /** The id of the isolate. */
  readonly writer: string;
  /** One more than that of the isolate's previous addition. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const UNLESS_ADDED = "NOT EXISTS (SELECT 1 FROM usage_writers WHERE id = ?2 AND sequence >= ?3)";

/** Adds counts, unless this addition was made already. */
export function addRequestUsage({ usage, operations }: CountedRequests, addition: Addition): Statement[] {
  return [addUsage(usage, addition), addTotals(operations, addition), recordAddition(addition)];
}

/** Adds the counts of days, buckets and access keys. */
function addUsage(usage: CountedRequests["usage"], { writer, sequence }: Addition): Statement {
  const counts = usage.map(({ day, bucketId, accessKeyId, bucketName, requests, errors, bytesIn, bytesOut }) => [
    day,
    bucketId,
    accessKeyId,
    bucketName,
    requests.A,
    requests.B,
    requests.free,
    errors,
    bytesIn,
    bytesOut,
  ]);
  return statement(
    `INSERT INTO request_usage (day, bucket_id, access_key_id, bucket_name, class_a, class_b, free, errors, bytes_in,
       bytes_out)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
       value ->> 8, value ->> 9
     FROM json_each(?1) WHERE ${UNLESS_ADDED}
     ON CONFLICT (day, bucket_id, access_key_id) DO UPDATE SET class_a = class_a + excluded.class_a,
       class_b = class_b + excluded.class_b, free = free + excluded.free, errors = errors + excluded.errors,
       bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out`,
    JSON.stringify(counts),
    writer,
    sequence,
  );
}

/** Adds the totals of operations and statuses. */
function addTotals(operations: CountedRequests["operations"], { writer, sequence }: Addition): Statement {
  const totals = operations.map(({ operation, status, requests, bytesIn, bytesOut, milliseconds }) => [
    operation,
    status,
    requests,
    bytesIn,
    bytesOut,
    milliseconds,
  ]);
  return statement(
    `INSERT INTO request_totals (operation, status, requests, bytes_in, bytes_out, milliseconds)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
     FROM json_each(?1) WHERE ${UNLESS_ADDED}
     ON CONFLICT (operation, status) DO UPDATE SET requests = requests + excluded.requests,
       bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out,
       milliseconds = milliseconds + excluded.milliseconds`,
    JSON.stringify(totals),
    writer,
    sequence,
  );
}

/** Records an addition, so that repeating it adds nothing. */
function recordAddition({ writer, sequence, at }: Addition): Statement {
  return statement(
    `INSERT INTO usage_writers (id, sequence, written_at) VALUES (?1, ?2, ?3)
     ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, written_at = excluded.written_at`,
    writer,
    sequence,
    at,
  );
}

/** A page of a report: the rows of a range of days after a position. */
export interface UsagePage {
  /** The days, in order. */
  readonly days: readonly string[];
  /** Undefined: all buckets. */
  readonly bucketId: string | undefined;
  /** Undefined: all access keys; empty: no verified credentials. */
  readonly accessKeyId: string | undefined;
  /** The day, bucket id and access key id of the last row of the previous page. */
  readonly after: readonly [day: string, bucketId: string, accessKeyId: string];
  readonly limit: number;
}

interface UsageRow {
  readonly day: string;
  readonly bucket_id: string;
  readonly access_key_id: string;
  readonly bucket_name: string;
  readonly class_a: number;
  readonly class_b: number;
  readonly free: number;
  readonly errors: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

/** Looks up a page of a report. The rows of one bucket or access key are found with a seek for each day. */
export function lookUpRequestUsage({ days, bucketId, accessKeyId, after, limit }: UsagePage): Lookup<UsageCount[]> {
  const ofBucket = bucketId === undefined ? "" : "AND u.bucket_id = ?6";
  const ofKey = accessKeyId === undefined ? "" : `AND u.access_key_id = ?${bucketId === undefined ? 6 : 7}`;
  const index = accessKeyId === undefined || bucketId !== undefined ? "" : "INDEXED BY request_usage_by_key";
  return {
    statements: [
      statement(
        `SELECT u.* FROM json_each(?1) d CROSS JOIN request_usage u ${index} ON u.day = d.value ${ofBucket} ${ofKey}
         WHERE (u.day, u.bucket_id, u.access_key_id) > (?2, ?3, ?4)
         ORDER BY d.key, u.bucket_id, u.access_key_id LIMIT ?5`,
        JSON.stringify(days),
        ...after,
        limit,
        ...[bucketId, accessKeyId].filter((id) => id !== undefined),
      ),
    ],
    read: (results) => rowsOf<UsageRow>(results).map(usageFromRow),
  };
}

function usageFromRow(row: UsageRow): UsageCount {
  return {
    day: row.day,
    bucketId: row.bucket_id,
    bucketName: row.bucket_name,
    accessKeyId: row.access_key_id,
    requests: { A: row.class_a, B: row.class_b, free: row.free },
    errors: row.errors,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
  };
}

/** Looks up the counts of all operations. */
export function lookUpOperationCounts(): Lookup<OperationCount[]> {
  return {
    statements: [
      statement(
        `SELECT operation, status, requests, bytes_in AS bytesIn, bytes_out AS bytesOut, milliseconds
         FROM request_totals ORDER BY operation, status LIMIT 2000`,
      ),
    ],
    read: (results) => [...rowsOf<OperationCount>(results)],
  };
}

/** Purges the rows from before a day, and the records of isolates that ended long ago; at most `limit` of each. */
export function purgeRequestUsage(beforeDay: string, writersBefore: number, limit: number): Statement[] {
  return [
    statement(
      `DELETE FROM request_usage WHERE (day, bucket_id, access_key_id) IN (
         SELECT day, bucket_id, access_key_id FROM request_usage WHERE day < ? LIMIT ?)`,
      beforeDay,
      limit,
    ),
    statement(
      `DELETE FROM usage_writers WHERE id IN (SELECT id FROM usage_writers WHERE written_at < ? LIMIT ?)`,
      writersBefore,
      limit,
    ),
  ];
}

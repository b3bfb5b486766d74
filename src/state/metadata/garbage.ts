// The garbage table: blobs and manifests without references, which wait for the recovery window to pass.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** The limits of a page: entries read, and due entries returned. */
const PAGE_ENTRIES = 2000;
const PAGE_DUE = 500;

/** A page of the garbage. */
export interface GarbagePage {
  /** Blobs and manifests that are due for deletion and have no references. */
  readonly due: readonly DueGarbage[];
  /** The id after which the next page begins; undefined on the last page. */
  readonly next: string | undefined;
  /** Entries up to `next` that are too young. */
  readonly waiting: number;
}

/** An entry that is due, and the number of entries before it in the page that are too young. */
export interface DueGarbage {
  readonly id: string;
  readonly waitingBefore: number;
}

interface PageRow {
  /** JSON: a list of pairs. */
  readonly due: string;
  readonly last: string | null;
  readonly entries: number;
  readonly waiting: number | null;
}

/**
 * Looks up garbage from before a time (milliseconds since the epoch), after an id. The scan is by id, because an index
 * by time would add a written row to every deletion.
 */
export function lookUpDueGarbage(before: number, after: string): Lookup<GarbagePage> {
  return {
    statements: [
      statement(
        `WITH page (blob_id, dropped_at, waiting) AS MATERIALIZED (
           SELECT blob_id, dropped_at, sum(dropped_at >= ?1) OVER (ORDER BY blob_id)
           FROM (SELECT blob_id, dropped_at FROM garbage WHERE blob_id > ?2 ORDER BY blob_id LIMIT ${PAGE_ENTRIES})),
         due (blob_id, waiting) AS MATERIALIZED (
           SELECT p.blob_id, p.waiting FROM page p
           WHERE p.dropped_at < ?1 AND NOT EXISTS (SELECT 1 FROM shared_blobs s WHERE s.blob_id = p.blob_id)
           ORDER BY p.blob_id LIMIT ${PAGE_DUE})
         SELECT (SELECT json_group_array(json_array(blob_id, waiting)) FROM due) AS due, max(blob_id) AS last,
           count(*) AS entries, max(waiting) AS waiting FROM page`,
        before,
        after,
      ),
    ],
    read: (results) => {
      const row = rowsOf<PageRow>(results)[0];
      // json_group_array in the statement above writes this form.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const pairs = JSON.parse(row?.due ?? "[]") as (readonly [id: string, waitingBefore: number])[];
      const due = pairs.map(([id, waitingBefore]) => ({ id, waitingBefore }));
      const last = due.at(-1);
      if (due.length === PAGE_DUE && last !== undefined) return { due, next: last.id, waiting: last.waitingBefore };
      const next = row?.entries === PAGE_ENTRIES ? (row.last ?? undefined) : undefined;
      return { due, next, waiting: row?.waiting ?? 0 };
    },
  };
}

/** Purges the entries of deleted blobs. */
export function purgeGarbage(blobIds: readonly string[]): Statement {
  return statement(`DELETE FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?))`, JSON.stringify(blobIds));
}

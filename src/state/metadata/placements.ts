// The registry of buckets in further databases: its rows in the first database, and the record of deleted buckets in the
// databases that held them.
import { rowsOf, statement, type Database, type Lookup, type Statement, type StatementResult } from "../d1/database.ts";
import { NO_CONFIGURATIONS, type Bucket } from "./buckets.ts";

/** The registry's entry of a bucket. */
export interface Placement {
  readonly name: string;
  readonly id: string;
  /** The name of the database's binding. */
  readonly database: string;
  /** The bucket as it was created. */
  readonly bucket: Bucket;
}

interface PlacementRow {
  readonly name: string;
  readonly id: string;
  readonly database: string;
  readonly bucket: string;
}

const COLUMNS = "p.name, p.id, p.database, p.bucket";

function placementFromRow({ name, id, database, bucket }: PlacementRow): Placement {
  // What insertPlacement wrote, or a rebuild, which knows less.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const stored = JSON.parse(bucket) as Partial<Bucket> & Pick<Bucket, "ownerId" | "region" | "createdAt">;
  const configurations = { ...NO_CONFIGURATIONS, ...stored.configurations };
  const created = { versioning: null, cors: [], creatorId: null, snapshotFloor: null, deliveryEpoch: 0, ...stored };
  return { name, id, database, bucket: { ...created, name, id, configurations } };
}

/** Looks up the placement of a bucket's name. */
export function lookUpPlacement(name: string): Lookup<Placement | undefined> {
  return {
    statements: [statement(`SELECT ${COLUMNS} FROM bucket_placements p WHERE p.name = ?`, name)],
    read: (results) => rowsOf<PlacementRow>(results).map(placementFromRow)[0],
  };
}

/** Looks up in which databases buckets are, by their names. */
export function lookUpDatabases(names: readonly string[]): Lookup<ReadonlyMap<string, string>> {
  return {
    statements: [
      statement(
        `SELECT p.name, p.database FROM json_each(?) n CROSS JOIN bucket_placements p ON p.name = n.value`,
        JSON.stringify(names),
      ),
    ],
    read: (results) => new Map(rowsOf<PlacementRow>(results).map(({ name, database }) => [name, database])),
  };
}

/** Looks up a page of placements, by name, after a name. */
export function lookUpPlacements(after: string, limit: number): Lookup<Placement[]> {
  return {
    statements: [
      statement(`SELECT ${COLUMNS} FROM bucket_placements p WHERE p.name > ? ORDER BY p.name LIMIT ?`, after, limit),
    ],
    read: (results) => rowsOf<PlacementRow>(results).map(placementFromRow),
  };
}

/** Reserves a bucket's name and records its database, unless the name is taken. */
export function insertPlacement(bucket: Bucket, database: string): Statement {
  return statement(
    `INSERT INTO bucket_placements (name, id, database, placed_at, bucket)
     SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM buckets WHERE name = ?1) ON CONFLICT DO NOTHING`,
    bucket.name,
    bucket.id,
    database,
    bucket.createdAt,
    JSON.stringify(bucket),
  );
}

/** Moves the placement of a bucket that has no row yet to another database. */
export function movePlacement({ name, id }: Pick<Bucket, "name" | "id">, database: string): Statement {
  return statement(`UPDATE bucket_placements SET database = ? WHERE name = ? AND id = ?`, database, name, id);
}

/** Frees the name of a bucket. */
export function deletePlacement({ name, id }: Pick<Bucket, "name" | "id">): Statement {
  return statement(`DELETE FROM bucket_placements WHERE name = ? AND id = ?`, name, id);
}

/** Frees the names of buckets by their ids. */
export function deletePlacementsOf(database: string, ids: readonly string[]): Statement {
  return statement(
    `DELETE FROM bucket_placements WHERE name IN (
       SELECT p.name FROM json_each(?2) i CROSS JOIN bucket_placements p ON p.database = ?1 AND p.id = i.value)`,
    database,
    JSON.stringify(ids),
  );
}

/** Records the deletion of a bucket in the batch that deletes its row. */
export function recordBucketDeletion({ id }: Pick<Bucket, "id">, now: number): Statement {
  return statement(`INSERT INTO deleted_buckets (id, deleted_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, now);
}

/** Whether placed buckets have a row, or a record of their deletion, in the database asked. */
export interface PlacedStates {
  readonly existing: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
}

/** Looks up the states of placed buckets in their database, by id. */
export function lookUpPlacedStates(placements: readonly Pick<Placement, "name" | "id">[]): Lookup<PlacedStates> {
  const json = JSON.stringify(placements.map(({ name, id }) => [name, id]));
  return {
    statements: [
      statement(
        `SELECT b.id FROM json_each(?) p CROSS JOIN buckets b ON b.name = p.value ->> 0 AND b.id = p.value ->> 1`,
        json,
      ),
      statement(`SELECT d.id FROM json_each(?) p CROSS JOIN deleted_buckets d ON d.id = p.value ->> 1`, json),
    ],
    read: (results) => ({ existing: new Set(idsOf(results, 0)), deleted: new Set(idsOf(results, 1)) }),
  };
}

function idsOf(results: readonly StatementResult[], index: number): string[] {
  return rowsOf<{ readonly id: string }>(results, index).map(({ id }) => id);
}

/** Looks up a page of deletions from before a time (milliseconds since the epoch), by id, after an id. */
export function lookUpBucketDeletions(before: number, after: string, limit: number): Lookup<string[]> {
  return {
    statements: [
      statement(
        `SELECT id FROM deleted_buckets WHERE id > ? AND deleted_at < ? ORDER BY id LIMIT ?`,
        after,
        before,
        limit,
      ),
    ],
    read: (results) => idsOf(results, 0),
  };
}

/** Purges records of deletions. Their placements must be deleted first. */
export function purgeBucketDeletions(ids: readonly string[]): Statement {
  return statement(`DELETE FROM deleted_buckets WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids));
}

/** The databases of the registry's entries, which must be bound. */
export async function readPlacedDatabases(first: Database): Promise<string[]> {
  const results = await first.batch([
    statement(
      `WITH RECURSIVE named (database) AS (
         SELECT min(database) FROM bucket_placements
         UNION ALL SELECT (SELECT min(p.database) FROM bucket_placements p WHERE p.database > n.database)
         FROM named n WHERE n.database IS NOT NULL)
       SELECT database FROM named WHERE database IS NOT NULL`,
    ),
  ]);
  return rowsOf<{ readonly database: string }>(results).map(({ database }) => database);
}

// Decides into which database a rebuild brings each bucket: the one whose registry entry or row names it, and among
// several lost databases one by its id. Buckets of databases that are not rebuilt are left alone.
import { rowsOf, statement, type Statement } from "../d1/database.ts";
import type { Databases } from "../d1/databases.ts";
import type { RebuiltBucket } from "./rebuilding.ts";

/** Whether a bucket belongs to the database `target`. */
export type TargetFilter = (bucketId: string) => boolean;

/**
 * Decides which of some buckets belong to a database.
 * @param targets the databases that are rebuilt, which are empty when it begins
 */
export async function bucketsOfTarget(
  databases: Databases,
  targets: readonly string[],
  target: string,
  bucketIds: readonly string[],
): Promise<TargetFilter> {
  if (!databases.areSeveral) return () => true;
  const { first, all } = databases;
  const ids = JSON.stringify(Array.from(new Set(bucketIds)));
  const homes = new Map<string, string>();
  const placed = await first.batch([
    statement(`SELECT id, database FROM bucket_placements WHERE id IN (SELECT value FROM json_each(?))`, ids),
  ]);
  for (const row of rowsOf<{ readonly id: string; readonly database: string }>(placed)) homes.set(row.id, row.database);
  await Promise.all(
    all.map(async (database) => {
      const found = await database.batch([
        statement(`SELECT id FROM buckets WHERE id IN (SELECT value FROM json_each(?))`, ids),
      ]);
      for (const { id } of rowsOf<{ readonly id: string }>(found)) homes.set(id, database.name);
    }),
  );
  const isRegistryLost = targets.includes(first.name);
  return (bucketId) => {
    const home = homes.get(bucketId);
    if (home !== undefined) return home === target;
    // An intact registry knows all buckets of other databases, and an intact first database knows its own.
    return isRegistryLost && targets[indexOf(bucketId, targets.length)] === target;
  };
}

/** Spreads buckets over databases by their ids, which are random. */
function indexOf(bucketId: string, count: number): number {
  let hash = 0;
  for (let index = 0; index < bucketId.length; index += 1) hash = (hash * 31 + bucketId.charCodeAt(index)) % 65_521;
  return hash % count;
}

/**
 * Registers rebuilt buckets in a further database, each under its id if its name is taken.
 * @returns the names by the buckets' ids; empty for the first database, which needs no registry
 */
export async function registerRebuilt(
  databases: Databases,
  target: string,
  buckets: readonly RebuiltBucket[],
): Promise<ReadonlyMap<string, string>> {
  const { first } = databases;
  if (target === first.name || buckets.length === 0) return new Map();
  await first.batch(
    buckets.flatMap((bucket) => [bucket.name ?? bucket.id, bucket.id].map((name) => register(bucket, name, target))),
  );
  const registered = await first.batch([
    statement(
      `SELECT id, name FROM bucket_placements WHERE database = ?1 AND id IN (SELECT value FROM json_each(?2))`,
      target,
      JSON.stringify(buckets.map(({ id }) => id)),
    ),
  ]);
  return new Map(rowsOf<{ readonly id: string; readonly name: string }>(registered).map(({ id, name }) => [id, name]));
}

function register({ id, ownerId, region, createdAt }: RebuiltBucket, name: string, database: string): Statement {
  return statement(
    `INSERT INTO bucket_placements (name, id, database, placed_at, bucket)
     SELECT ?1, ?2, ?3, ?4, json_object('name', ?1, 'id', ?2, 'ownerId', ?5, 'region', ?6, 'createdAt', ?4,
       'configurations', json('{}'))
     WHERE NOT EXISTS (SELECT 1 FROM bucket_placements WHERE database = ?3 AND id = ?2)
       AND NOT EXISTS (SELECT 1 FROM buckets WHERE name = ?1) ON CONFLICT DO NOTHING`,
    name,
    id,
    database,
    createdAt,
    ownerId,
    region,
  );
}

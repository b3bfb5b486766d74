// Creates and deletes buckets. With several databases a creation first reserves the name in the registry of the first
// database, then inserts the bucket's row in its own; a deletion goes the other way. A request that meets an entry without a row
// completes the creation, or the deletion if one is recorded, so a crash between two databases loses no name and makes
// no bucket twice (see "Several databases" in docs/architecture.md).
import { commitBatch } from "../commit/commit.ts";
import { statement, type Database, type Statement } from "../d1/database.ts";
import type { Databases } from "../d1/databases.ts";
import { rememberLocation } from "../metadata/bucket-locations.ts";
import { deleteBucketRow, insertBucket, lookUpBucket, type Bucket } from "../metadata/buckets.ts";
import {
  deletePlacement,
  insertPlacement,
  lookUpPlacedStates,
  lookUpPlacement,
  movePlacement,
  type Placement,
} from "../metadata/placements.ts";

/** Each concurrent creation or deletion of the name costs one more attempt. */
const ATTEMPTS = 5;

/** The result of a creation: the bucket that has the name, or why it is not known or not possible. */
export type Creation = { readonly bucket: Bucket } | { readonly failure: "unknown" | "database full" | "name taken" };

/**
 * Creates a bucket unless its name is taken.
 * @param database the name of its database; undefined: the emptiest
 * @returns the bucket that has the name afterwards
 */
export async function createBucketIn(
  databases: Databases,
  bucket: Bucket,
  database: string | undefined,
): Promise<Creation> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const created = databases.areSeveral
      ? await tryToPlace(databases, bucket, database)
      : await createInFirst(databases, bucket);
    if (created !== "again") return created;
  }
  return { failure: "unknown" };
}

async function createInFirst({ first, areSeveral }: Databases, bucket: Bucket): Promise<Creation | "again"> {
  const inserted = await insertRow(first, bucket);
  if (typeof inserted === "object") return { bucket: inserted };
  if (inserted !== "not inserted") return { failure: inserted };
  // The name has a placement, which only a deployment that has lost its further databases does not find.
  return areSeveral ? "again" : { failure: "name taken" };
}

async function tryToPlace(
  databases: Databases,
  bucket: Bucket,
  named: string | undefined,
): Promise<Creation | "again"> {
  const { first, all } = databases;
  const [candidates, { existing, placement }] = await Promise.all([
    named === undefined ? emptiestFirst(all) : [databases.named(named)],
    lookUpName(first, bucket.name),
  ]);
  if (existing !== undefined) return { bucket: existing };
  if (placement !== undefined) return completePlacement(databases, placement);
  let failure: "unknown" | "database full" = "unknown";
  let isReserved = false;
  for (const database of candidates) {
    if (database.isFirst) {
      if (isReserved) await first.batch([deletePlacement(bucket)]);
      isReserved = false;
      const created = await createInFirst(databases, bucket);
      if (created === "again" || "bucket" in created || created.failure !== "database full") return created;
    } else {
      const reserved = isReserved
        ? await moveName(first, bucket, database)
        : await reserveName(first, bucket, database);
      if (reserved !== "applied") return reserved;
      isReserved = true;
      const inserted = await insertRow(database, bucket);
      if (inserted === "not inserted") return "again";
      if (typeof inserted === "object") {
        rememberLocation(bucket.name, database.name);
        return { bucket: inserted };
      }
      // An unknown outcome leaves the entry, which the next creation of the name completes.
      if (inserted === "unknown") return { failure: inserted };
    }
    failure = "database full";
  }
  // The row was certainly not inserted, so the name is free again.
  if (isReserved) await first.batch([deletePlacement(bucket)]);
  return { failure };
}

/** Reserves a name unless another creation has. */
async function reserveName(
  first: Database,
  bucket: Bucket,
  database: Database,
): Promise<"applied" | Creation | "again"> {
  const isOwn = async (): Promise<boolean> => (await first.look(lookUpPlacement(bucket.name)))?.id === bucket.id;
  const outcome = await commitBatch(first, [insertPlacement(bucket, database.name)], isOwn);
  if (outcome === "bucket name taken") return "again";
  if (outcome !== "applied") return { failure: outcome === "database full" ? outcome : "unknown" };
  return (await isOwn()) ? "applied" : "again";
}

/** Moves a reserved name to another database, unless the bucket was created and deleted meanwhile. */
async function moveName(first: Database, bucket: Bucket, database: Database): Promise<"applied" | "again"> {
  const [moved] = await first.batch([movePlacement(bucket, database.name)]);
  return moved?.changes === 0 ? "again" : "applied";
}

/**
 * Inserts a bucket's row unless another bucket of the database has its name.
 * @returns the bucket that has the name; "not inserted" if the bucket was deleted, or its name has a placement
 */
async function insertRow(
  database: Database,
  bucket: Bucket,
): Promise<Bucket | "not inserted" | "database full" | "unknown"> {
  const { statements, read } = insertBucket(bucket);
  let found: Bucket | undefined;
  const once = {
    batch: async (sent: readonly Statement[]) => {
      const results = await database.batch(sent);
      found = read(results).existing;
      return results;
    },
  };
  const outcome = await commitBatch(once, statements, async () => {
    ({ bucket: found } = await database.look(lookUpBucket(bucket.name)));
    return found !== undefined;
  });
  if (outcome === "applied") return found ?? "not inserted";
  return outcome === "database full" ? outcome : "unknown";
}

async function lookUpName(
  first: Database,
  name: string,
): Promise<{ readonly existing: Bucket | undefined; readonly placement: Placement | undefined }> {
  const [bucket, placement] = [lookUpBucket(name), lookUpPlacement(name)];
  const results = await first.batch([...bucket.statements, ...placement.statements]);
  return { existing: bucket.read(results).bucket, placement: placement.read(results.slice(1)) };
}

/**
 * Completes what an entry of the registry shows: a creation whose row is missing, or a recorded deletion.
 * @returns the bucket that has the name, or "again" if the name is free now
 */
export async function completePlacement(databases: Databases, placement: Placement): Promise<Creation | "again"> {
  const database = databases.named(placement.database);
  const { existing, deleted } = await database.look(lookUpPlacedStates([placement]));
  if (deleted.has(placement.id)) {
    await databases.first.batch([deletePlacement(placement)]);
    return "again";
  }
  if (!existing.has(placement.id)) {
    const inserted = await insertRow(database, placement.bucket);
    if (inserted === "not inserted") return "again";
    if (typeof inserted === "string") return { failure: inserted };
    // If the creator found the database full meanwhile, it has moved the entry, and this row must not remain.
    const now = await databases.first.look(lookUpPlacement(placement.name));
    if (now?.id !== placement.id || now.database !== placement.database) {
      await database.batch(deleteBucketRow(placement.bucket));
      return "again";
    }
  }
  const { bucket } = await database.look(lookUpBucket(placement.name));
  if (bucket === undefined) return "again";
  rememberLocation(bucket.name, database.name);
  return { bucket };
}

/** The databases that can be reached, by the size that each of them reports, in random order where they are equal. */
async function emptiestFirst(all: readonly Database[]): Promise<Database[]> {
  const sized = await Promise.all(
    all.map(async (database) => {
      const results = await database.batch([SELECT_NOTHING]).catch(() => undefined);
      return {
        database,
        bytes: results?.[0]?.databaseBytes ?? 0,
        isReached: results !== undefined,
        order: Math.random(),
      };
    }),
  );
  return sized
    .filter(({ isReached }) => isReached)
    .toSorted((one, other) => one.bytes - other.bytes || one.order - other.order)
    .map(({ database }) => database);
}

const SELECT_NOTHING: Statement = statement("SELECT 1");

/** Frees the name of a bucket whose row is deleted. A failure leaves the entry to the next creation of the name. */
export async function freeName({ first }: Databases, database: Database, bucket: Bucket): Promise<void> {
  if (!database.isFirst) await first.batch([deletePlacement(bucket)]).catch(() => undefined);
}

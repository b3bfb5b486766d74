// Backs up and restores several databases: the first, then the others in the order of their numbers. The pages of a
// further database name it, and a restore writes them to the database of that name.
import { rowsOf, statement, type Database, type Statement } from "../d1/database.ts";
import type { Databases } from "../d1/databases.ts";
import type { Row } from "../d1/row-mapping.ts";
import { NO_CONFIGURATIONS } from "../metadata/buckets.ts";
import { insertPlacement } from "../metadata/placements.ts";
import {
  FIRST_POSITION,
  readBackupPage,
  type BackupPage,
  type BackupPosition,
  type BackupStep,
} from "./backup-pages.ts";
import { isDatabaseEmpty } from "./rebuilding.ts";
import { restorePage } from "./restore-pages.ts";

/** Reads a page of the database that a position names, and the position after it in all databases. */
export async function readDatabasesPage(
  databases: Databases,
  position: BackupPosition,
  began: number,
): Promise<BackupStep> {
  const database = position.database === undefined ? databases.first : databases.named(position.database);
  const { page, next } = await readBackupPage(database, position, began);
  const own = database.isFirst ? {} : { database: database.name };
  const following = databases.all[databases.all.indexOf(database) + 1];
  return {
    page: { ...page, ...own },
    next: next !== undefined ? { ...next, ...own } : following && { ...FIRST_POSITION, database: following.name },
  };
}

/** The names of the databases without buckets and versions, which may be restored or rebuilt. */
export async function findEmptyDatabases({ all }: Databases): Promise<string[]> {
  const empty = await Promise.all(all.map((database) => database.look(isDatabaseEmpty())));
  return all.flatMap(({ name }, index) => (empty[index] === true ? [name] : []));
}

/**
 * Writes a page of a backup.
 * @param into the databases that are restored; pages of others are skipped
 * @returns how many rows it has written
 * @throws MissingDatabaseError if the page's database is not bound
 */
export async function restoreDatabasesPage(
  databases: Databases,
  page: BackupPage,
  into: readonly string[],
): Promise<number> {
  const database = page.database === undefined ? databases.first : databases.named(page.database);
  if (!into.includes(database.name)) return 0;
  const buckets = page.tables["buckets"] ?? [];
  if (database.isFirst || buckets.length === 0) return restorePage(database, page);
  const registered = await registerRows(databases.first, database, buckets);
  const own = buckets.filter((row) => registered.has(String(row["id"])));
  return restorePage(database, { ...page, tables: { ...page.tables, buckets: own } });
}

/** Registers the buckets whose rows are in a further database. Their names may be lost with the first one. */
export async function registerBuckets(first: Database, database: Database): Promise<void> {
  for (let after = ""; ;) {
    const results = await database.batch([
      statement(
        `SELECT name, id, owner_id, region, created_at FROM buckets WHERE name > ? ORDER BY name LIMIT 500`,
        after,
      ),
    ]);
    const rows = rowsOf<Row>(results);
    const last = rows.at(-1);
    if (last === undefined) return;
    await registerRows(first, database, rows);
    after = String(last["name"]);
  }
}

/** @returns the ids of the buckets that the registry has in this database afterwards */
async function registerRows(first: Database, database: Database, rows: readonly Row[]): Promise<ReadonlySet<string>> {
  await first.batch(rows.map((row) => registerRow(row, database.name)));
  const results = await first.batch([
    statement(
      `SELECT p.id FROM json_each(?1) n CROSS JOIN bucket_placements p ON p.name = n.value WHERE p.database = ?2`,
      JSON.stringify(rows.map((row) => row["name"])),
      database.name,
    ),
  ]);
  return new Set(rowsOf<{ readonly id: string }>(results).map(({ id }) => id));
}

function registerRow(row: Row, database: string): Statement {
  const bucket = {
    name: String(row["name"]),
    id: String(row["id"]),
    ownerId: String(row["owner_id"]),
    region: String(row["region"]),
    createdAt: Number(row["created_at"]),
    versioning: null,
    cors: [],
    creatorId: null,
    configurations: NO_CONFIGURATIONS,
    snapshotFloor: null,
    deliveryEpoch: 0,
  };
  return insertPlacement(bucket, database);
}

// Checks the registry of buckets against the rows of buckets in every database. An entry without a row is no finding: a
// creation or deletion that was interrupted is completed by a job.
import { rowsOf, statement, type Database } from "../d1/database.ts";
import type { Databases } from "../d1/databases.ts";
import { readPlacedDatabases } from "../metadata/placements.ts";

const PAGE_BUCKETS = 1000;

/** Finds buckets that the registry does not have where they are, and databases that it names and that are not bound. */
export async function findMisplacedBuckets(databases: Databases): Promise<string[]> {
  const { first, all } = databases;
  const unbound = (await readPlacedDatabases(first)).filter((name) => databases.find(name) === undefined);
  const findings = unbound.map((name) => `database ${name} has buckets by the registry, and is not bound`);
  const unregistered = await Promise.all(
    all.filter(({ isFirst }) => !isFirst).map((database) => findUnregistered(first, database)),
  );
  findings.push(...unregistered.flat());
  if (databases.areSeveral) {
    const twice = await first.batch([
      statement(`SELECT b.name FROM bucket_placements p CROSS JOIN buckets b ON b.name = p.name LIMIT 100`),
    ]);
    for (const { name } of rowsOf<{ readonly name: string }>(twice)) {
      findings.push(`bucket ${name} is in the first database, and the registry has it in another one`);
    }
  }
  return findings;
}

async function findUnregistered(first: Database, database: Database): Promise<string[]> {
  const findings: string[] = [];
  for (let after = ""; ;) {
    const page = await database.batch([
      statement(`SELECT name, id FROM buckets WHERE name > ? ORDER BY name LIMIT ?`, after, PAGE_BUCKETS),
    ]);
    const rows = rowsOf<{ readonly name: string; readonly id: string }>(page);
    const last = rows.at(-1);
    if (last === undefined) return findings;
    const unregistered = await first.batch([
      statement(
        `SELECT b.value ->> 0 AS name FROM json_each(?1) b WHERE NOT EXISTS (SELECT 1 FROM bucket_placements p
           WHERE p.name = b.value ->> 0 AND p.id = b.value ->> 1 AND p.database = ?2)`,
        JSON.stringify(rows.map(({ name, id }) => [name, id])),
        database.name,
      ),
    ]);
    for (const { name } of rowsOf<{ readonly name: string }>(unregistered)) {
      findings.push(`bucket ${name} is in ${database.name}, where the registry does not have it`);
    }
    after = last.name;
  }
}

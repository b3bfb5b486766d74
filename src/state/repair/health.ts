// Reads a database's health: its newest migration and the last step of a scheduled job.
import { rowsOf, statement, type Lookup } from "../d1/database.ts";

/** The state of a reachable database. */
export interface DatabaseHealth {
  /** The name of the newest migration; undefined for an empty database. */
  readonly migration: string | undefined;
  /** When a scheduled job last took a step, in milliseconds since the epoch; undefined: never. */
  readonly steppedAt: number | undefined;
  /** The size of the database; undefined if D1 does not report it. */
  readonly databaseBytes: number | undefined;
}

/** Reads one row of the migrations table and one per job. */
export function lookUpHealth(): Lookup<DatabaseHealth> {
  return {
    statements: [
      statement(
        `SELECT (SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1) AS migration,
           (SELECT max(stepped_at) FROM jobs) AS stepped_at`,
      ),
    ],
    read(results) {
      const databaseBytes = results[0]?.databaseBytes;
      const [row] = rowsOf<{ readonly migration: string | null; readonly stepped_at: number | null }>(results);
      return { migration: row?.migration ?? undefined, steppedAt: row?.stepped_at ?? undefined, databaseBytes };
    },
  };
}

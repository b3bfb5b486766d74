// What the database says of its own state: the migrations that it has and the schedule's last step.
import { rowsOf, statement, type Lookup } from "../d1/database.ts";

/** The state of a database that is in reach. */
export interface DatabaseHealth {
  /** The name of the newest migration; undefined for an empty database. */
  readonly migration: string | undefined;
  /** When a scheduled job last took a step, in milliseconds since the epoch; undefined: never. */
  readonly steppedAt: number | undefined;
}

/** Reads one row of the ledger of migrations and one for each job. */
export function lookUpHealth(): Lookup<DatabaseHealth> {
  return {
    statements: [
      statement(
        `SELECT (SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1) AS migration,
           (SELECT max(stepped_at) FROM jobs) AS stepped_at`,
      ),
    ],
    read(results) {
      const [row] = rowsOf<{ readonly migration: string | null; readonly stepped_at: number | null }>(results);
      return { migration: row?.migration ?? undefined, steppedAt: row?.stepped_at ?? undefined };
    },
  };
}

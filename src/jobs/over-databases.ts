// Runs a job on one database after the other. The cursor of a step on a further database begins with its name; a step on
// the first has the job's own cursor, so a pass continues when databases are added.
import type { Database } from "../state/d1/database.ts";
import type { Databases } from "../state/d1/databases.ts";
import type { Job } from "./job.ts";

/** `@META_1`, and after a space the cursor of the job, unless it begins there. */
const IN_DATABASE = /^@(META_\d+)(?: ([^]*))?$/;

/** Turns a job on one database into a job on all databases. */
export function overDatabases(job: Job): Job {
  return {
    name: job.name,

    async step(context, cursor) {
      const position = readCursor(context.databases, cursor);
      // The database is no longer bound.
      if (position === undefined) return { cursor: null, report: {} };
      const { database } = position;
      const coordinators = context.coordinators.of(database);
      const step = await job.step({ ...context, database, coordinators }, position.cursor);
      if (step.cursor !== null) return { ...step, cursor: writeCursor(database, step.cursor) };
      const next = databaseAfter(context.databases, database);
      return { ...step, cursor: next === undefined ? null : writeCursor(next, null) };
    },
  };
}

/** The database after another one; undefined after the last. */
export function databaseAfter({ all }: Databases, database: Database): Database | undefined {
  return all[all.indexOf(database) + 1];
}

function readCursor(
  databases: Databases,
  text: string | null,
): { readonly database: Database; readonly cursor: string | null } | undefined {
  const [, name, cursor = null] = IN_DATABASE.exec(text ?? "") ?? [];
  if (name === undefined) return { database: databases.first, cursor: text };
  const database = databases.find(name);
  return database === undefined ? undefined : { database, cursor };
}

function writeCursor({ isFirst, name }: Database, cursor: string | null): string | null {
  if (isFirst) return cursor;
  return cursor === null ? `@${name}` : `@${name} ${cursor}`;
}

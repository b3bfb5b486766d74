// Spreads the tests' buckets over the databases of a run with several: most are named in turn, and some are left to the
// Worker. Buckets of a test file that works on the first database itself are all created there.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { databaseBindings } from "../../src/state/d1/databases.ts";

const NAMES = databaseBindings(env).map(({ name }) => name);

/** The number of databases. */
export const DATABASE_COUNT = NAMES.length;
/** The round trips of a creation: one, and with several databases those that place the bucket. */
export const CREATION_ROUND_TRIPS: unknown = DATABASE_COUNT === 1 ? 1 : expect.any(Number);
const state = { created: 0, isPinned: false };

/** Called before each test file. @param file its path, below the folder of the tests */
export function placeBucketsOf(file: string): void {
  const pinned: unknown = Reflect.get(env, "FIRST_DATABASE_FILES");
  state.isPinned = Array.isArray(pinned) && pinned.some((path) => file.endsWith(String(path)));
}

/** The header that names the database of a bucket that a request creates; none with one database. */
export function placementHeader(method: string, target: string): Readonly<Record<string, string>> {
  if (NAMES.length === 1 || method !== "PUT" || !/^\/[^/?]+$/.test(target)) return {};
  if (state.isPinned) return { "x-cairn-database": "DB" };
  // The Worker places buckets that a test names itself.
  if (!target.startsWith("/t-")) return {};
  state.created += 1;
  const name = NAMES[state.created % (NAMES.length + 1)];
  return name === undefined ? {} : { "x-cairn-database": name };
}

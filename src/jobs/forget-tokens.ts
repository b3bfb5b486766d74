// Forgets what is remembered for repeated requests: the tokens of renames, and completed uploads.
import type { Database } from "../state/database.ts";
import { forgetTokens } from "../state/renames.ts";
import { forgetCompletions } from "../state/uploads.ts";

/** How long a repeated request is recognised, in milliseconds. */
export const TOKEN_LIFE_MS = 25 * 3_600_000;

const PAGE_ROWS = 1000;

/** Forgets up to 1000 of each kind that are older than {@link TOKEN_LIFE_MS}. */
export async function forgetOldTokens(database: Database, now: number): Promise<void> {
  const before = now - TOKEN_LIFE_MS;
  await database.batch([forgetTokens(before, PAGE_ROWS), forgetCompletions(before, PAGE_ROWS)]);
}

// Forgets what is remembered for repeated requests: the tokens of renames, and completed uploads.
import { purgeRenameTokens } from "../state/writes/renames.ts";
import { purgeCompletions } from "../state/metadata/uploads.ts";
import type { Job } from "./job.ts";

/** How long a repeated request is recognised, in milliseconds. */
export const TOKEN_LIFE_MS = 25 * 3_600_000;

const PAGE_ROWS = 1000;

/** Forgets up to 1000 of each kind in a step. */
export const expireTokens: Job = {
  name: "forget-tokens",

  async step({ database, now }) {
    const before = now - TOKEN_LIFE_MS;
    const [renames, completions] = await database.batch([
      purgeRenameTokens(before, PAGE_ROWS),
      purgeCompletions(before, PAGE_ROWS),
    ]);
    const forgotten = [renames?.changes ?? 0, completions?.changes ?? 0];
    const isPageFull = forgotten.some((count) => count >= PAGE_ROWS);
    return { cursor: isPageFull ? "more" : null, report: { forgotten: forgotten.reduce((sum, count) => sum + count) } };
  },
};

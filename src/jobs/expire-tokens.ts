// Purges the records by which repeated requests are recognised: tokens of renames, and completed uploads. It stores a
// missing proof of a completion before it purges the completion.
import { storeMissingProof } from "../state/metadata/completion-proofs.ts";
import { purgeRenameTokens } from "../state/writes/renames.ts";
import { purgeCompletions, lookUpOldCompletions, type CompletionEntry } from "../state/metadata/completed-uploads.ts";
import { overDatabases } from "./over-databases.ts";
import type { Job, JobContext } from "./job.ts";

/** How long a repeated request is recognised, in milliseconds. */
const TOKEN_LIFE_MS = 25 * 3_600_000;

const PAGE_RENAMES = 1000;
/** Each completion takes one call of the blob store. */
const PAGE_COMPLETIONS = 100;
const CONCURRENT_PROOFS = 6;

/** Purges up to 1000 renames and 100 completions per step. */
export const expireTokens: Job = overDatabases({
  name: "forget-tokens",

  async step(context, _cursor) {
    const { database, now, budget } = context;
    const before = now - TOKEN_LIFE_MS;
    const limit = Math.max(1, Math.min(PAGE_COMPLETIONS, budget.callsLeft()));
    const completions = await database.look(lookUpOldCompletions(before, limit));
    await proveAll(context, completions);
    const [renames] = await database.batch([purgeRenameTokens(before, PAGE_RENAMES), purgeCompletions(completions)]);
    const purged = renames?.changes ?? 0;
    const isPageFull = purged >= PAGE_RENAMES || completions.length >= limit;
    return { cursor: isPageFull ? "more" : null, report: { expired: purged + completions.length } };
  },
});

async function proveAll(context: JobContext, completions: readonly CompletionEntry[]): Promise<void> {
  for (let start = 0; start < completions.length; start += CONCURRENT_PROOFS) {
    await Promise.all(
      completions
        .slice(start, start + CONCURRENT_PROOFS)
        .map(async ([id, name, key, uploadId]) => storeMissingProof(context, { id, name }, key, uploadId)),
    );
  }
}

// Purges counted requests that are older than USAGE_DAYS_KEPT, in the first database.
import { dayOf } from "../protocol/core/usage-days.ts";
import { purgeRequestUsage } from "../state/metadata/request-usage.ts";
import type { Job } from "./job.ts";

const DAY_MS = 86_400_000;
const PAGE_ROWS = 1000;

/** Purges up to 1000 rows per step. */
export const expireUsage: Job = {
  name: "expire-usage",

  async step({ database, settings, now }, _cursor) {
    const before = dayOf(now - settings.usageDaysKept * DAY_MS);
    const results = await database.batch(purgeRequestUsage(before, now - DAY_MS, PAGE_ROWS));
    const isPageFull = results.some(({ changes }) => changes >= PAGE_ROWS);
    return { cursor: isPageFull ? "more" : null, report: { expired: results[0]?.changes ?? 0 } };
  },
};

// Builds the indexes of queries that were asked for when their bucket had too many objects to index in the request, and
// purges the entries of deleted ones. Triggers index what is written meanwhile.
import { buildRange, lookUpUnbuilt, purgeDeletedIndexes } from "../state/metadata/query-indexes.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const PURGED_PER_STEP = 1000;

/** Purges a page of entries, or indexes one range of keys, per step. */
export const buildQueryIndexes: Job = overDatabases({
  name: "build-query-indexes",

  async step({ database }, _cursor) {
    const [entries, indexes] = await database.batch(purgeDeletedIndexes(PURGED_PER_STEP));
    const purged = entries?.changes ?? 0;
    if (purged > 0 || (indexes?.changes ?? 0) >= PURGED_PER_STEP) return { cursor: "more", report: { purged } };
    const { unbuilt } = await database.look(lookUpUnbuilt());
    if (unbuilt === undefined) return { cursor: null, report: {} };
    await database.look(buildRange(unbuilt));
    return { cursor: "more", report: { ranges: 1 } };
  },
});

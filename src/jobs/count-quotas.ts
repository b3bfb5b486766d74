// Counts what buckets store whose quota was set when they had too many versions to count in the request. Triggers count
// what is written meanwhile, and the limits are enforced from the last range on.
import { countNextRange, lookUpUncounted } from "../state/metadata/bucket-quotas.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/** Counts one range of keys per step. */
export const countQuotas: Job = overDatabases({
  name: "count-quotas",

  async step({ database }, _cursor) {
    const { bucketId } = await database.look(lookUpUncounted());
    if (bucketId === undefined) return { cursor: null, report: {} };
    await database.batch([countNextRange(bucketId)]);
    return { cursor: "more", report: { ranges: 1 } };
  },
});

// Purges the records of deleted keys, which are not imported again, once their bucket is deleted.
import { lookUpDeletionBucket, purgeDeletions } from "../state/metadata/upstream-imports.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const PAGE_KEYS = 1000;

/** Purges up to 1000 records of one bucket per step. The cursor is the id of the bucket before. */
export const purgeImportRecords: Job = overDatabases({
  name: "purge-import-records",

  async step({ database }, cursor) {
    const after = cursor ?? "";
    const found = await database.look(lookUpDeletionBucket(after));
    if (found === undefined) return { cursor: null, report: {} };
    if (found.exists) return { cursor: found.bucketId, report: {} };
    const [result] = await database.batch([purgeDeletions(found.bucketId, PAGE_KEYS)]);
    return { cursor: after, report: { purged: result?.changes ?? 0 } };
  },
});

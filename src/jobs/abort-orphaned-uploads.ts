// Aborts uploads whose bucket no longer exists, so that their parts become garbage. Only a restored or manually
// repaired database contains such uploads, and no client can abort them.
import { abortUploads, lookUpOrphanedUploads } from "../state/metadata/upload-batches.ts";
import { overDatabases } from "./over-databases.ts";
import type { Job } from "./job.ts";

/** Aborts one batch of uploads per step. */
export const abortOrphanedUploads: Job = overDatabases({
  name: "end-stray-uploads",

  async step({ database, now }) {
    const { batch } = await database.look(lookUpOrphanedUploads());
    await database.batch(abortUploads(batch.uploads, now));
    return { cursor: batch.hasMore ? "more" : null, report: { ended: batch.uploads.length } };
  },
});

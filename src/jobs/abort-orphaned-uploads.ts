// Ends uploads whose bucket is gone, so that their parts become garbage. No request leaves such an upload behind; a
// database that was restored or repaired by hand may hold one, and nobody could abort it.
import { abortUploads, lookUpOrphanedUploads } from "../state/metadata/upload-batches.ts";
import type { Job } from "./job.ts";

/** Ends a batch of uploads in a step. */
export const abortOrphanedUploads: Job = {
  name: "end-stray-uploads",

  async step({ database, now }) {
    const { batch } = await database.look(lookUpOrphanedUploads());
    await database.batch(abortUploads(batch.uploads, now));
    return { cursor: batch.hasMore ? "more" : null, report: { ended: batch.uploads.length } };
  },
};

// Ends uploads whose bucket is gone, so that their parts become garbage. No request leaves such an upload behind; a
// database that was restored or repaired by hand may hold one, and nobody could abort it.
import { endUpload, lookUpOrphanedUploads } from "../state/metadata/uploads.ts";
import type { Job } from "./job.ts";

const PAGE_UPLOADS = 20;

/** Ends 20 uploads in a step. */
export const abortOrphanedUploads: Job = {
  name: "end-stray-uploads",

  async step({ database, now }) {
    const orphanedUploads = await database.look(lookUpOrphanedUploads(PAGE_UPLOADS));
    await database.batch(orphanedUploads.flatMap((upload) => endUpload(upload.bucketId, upload, [], now)));
    return { cursor: orphanedUploads.length < PAGE_UPLOADS ? null : "more", report: { ended: orphanedUploads.length } };
  },
};

// Ends uploads whose bucket is gone, so that their parts become garbage. No request leaves such an upload behind; a
// database that was restored or repaired by hand may hold one, and nobody could abort it.
import { endUpload, lookUpStrayUploads } from "../state/metadata/uploads.ts";
import type { Job } from "./job.ts";

const PAGE_UPLOADS = 20;

/** Ends 20 uploads in a step. */
export const endStrayUploads: Job = {
  name: "end-stray-uploads",

  async step({ database, now }) {
    const strays = await database.look(lookUpStrayUploads(PAGE_UPLOADS));
    await database.batch(strays.flatMap((upload) => endUpload(upload.bucketId, upload, [], now)));
    return { cursor: strays.length < PAGE_UPLOADS ? null : "more", report: { ended: strays.length } };
  },
};

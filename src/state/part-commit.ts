// Commits a part of an upload. It needs no coordinator: a part has no preconditions, and the upload's own row says
// whether the upload is still open.
import type { Bucket } from "./buckets.ts";
import { commitBatch, guardBlobs, type CommitOutcome } from "./commit.ts";
import type { Database, Statement } from "./database.ts";
import { lookUpPartHolding, putPart, type Part } from "./parts.ts";
import { guardUpload, type Upload } from "./uploads.ts";

/**
 * Puts a part in its place, in the place of one that may be there.
 * @param guards what must hold besides, for a part that holds what somebody else holds too
 */
export async function commitPart(
  database: Database,
  bucket: Bucket,
  upload: Upload,
  part: Part,
  guards: readonly Statement[] = [],
): Promise<CommitOutcome> {
  const { uploadId } = upload;
  return commitBatch(
    database,
    [guardUpload(bucket.id, upload, undefined), guardBlobs([part.holdingId]), ...guards, ...putPart(uploadId, part)],
    async () => (await database.look(lookUpPartHolding(uploadId, part.partNumber))) === part.holdingId,
  );
}

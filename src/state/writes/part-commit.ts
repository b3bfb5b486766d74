// Commits a part of an upload. It needs no coordinator: a part has no preconditions, and the upload's own row says
// whether the upload is still open.
import type { Bucket } from "../metadata/buckets.ts";
import { commitBatch, guardBlobs, type CommitOutcome } from "../commit/commit.ts";
import { statement, type Database, type Statement } from "../d1/database.ts";
import { lookUpPartReference, putPart, type Part } from "../metadata/parts.ts";
import { guardUpload, type Upload } from "../metadata/uploads.ts";

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
    [
      guardUpload(bucket.id, upload, undefined),
      guardBlobs([part.referenceId]),
      ...guards,
      guardNotGarbage(part.referenceId),
      ...putPart(uploadId, part),
    ],
    () => database.look(lookUpPartReference(uploadId, part, guards.length === 0)),
  );
}

/**
 * The statement that aborts its batch if a holding is in the garbage: either it was a source's, which is gone, or a lost
 * try of this very batch has put the part in its place and another one has replaced it since. Put there again, it would
 * be bytes that are about to be deleted.
 */
function guardNotGarbage(referenceId: string): Statement {
  return statement(
    `INSERT INTO source_guard (bucket_id, key, version_id)
     SELECT NULL, NULL, NULL WHERE EXISTS (SELECT 1 FROM garbage WHERE blob_id = ?)`,
    referenceId,
  );
}

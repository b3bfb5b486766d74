// Commits a part of an upload without a coordinator: a part has no preconditions, and the guard checks in the upload's
// row that the upload is open.
import type { Bucket } from "../metadata/buckets.ts";
import { commitBatch, guardBlobs, type CommitOutcome } from "../commit/commit.ts";
import { statement, type Database, type Statement } from "../d1/database.ts";
import { lookUpPartReference, putPart, type Part } from "../metadata/parts.ts";
import { guardUpload, type Upload } from "../metadata/uploads.ts";

/**
 * Writes a part and replaces an existing part of the same number.
 * @param guards further guards, for a part that shares its blob or manifest with a copy source
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
 * Aborts the batch if the part's blob or manifest is garbage, because its bytes are about to be deleted. Either the
 * copy source is gone, or a lost try of this batch wrote the part and another upload of the part has replaced it since.
 */
function guardNotGarbage(referenceId: string): Statement {
  return statement(
    `INSERT INTO source_guard (bucket_id, key, version_id)
     SELECT NULL, NULL, NULL WHERE EXISTS (SELECT 1 FROM garbage WHERE blob_id = ?)`,
    referenceId,
  );
}

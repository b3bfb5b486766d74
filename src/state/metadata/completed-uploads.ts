// The completed_uploads table: results of completions, so that a repeated request gets the same answer.
import type { ObjectChecksum } from "../../protocol/core/checksums.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import type { Upload } from "./uploads.ts";

/** The result of a completed upload. */
export interface CompletedUpload {
  readonly fingerprint: string;
  readonly versionId: string;
  readonly etag: string;
  readonly checksum: ObjectChecksum | undefined;
}

/** Records a completion. Must follow the insert of the completed version in its batch. */
export function recordCompletion(
  bucketId: string,
  { key, uploadId }: Pick<Upload, "key" | "uploadId">,
  completed: Omit<CompletedUpload, "versionId">,
  now: number,
): Statement {
  return statement(
    `INSERT INTO completed_uploads (bucket_id, key, upload_id, fingerprint, version_id, etag, checksum, completed_at)
     SELECT ?1, ?2, ?3, ?4, CASE WHEN is_null_version = 1 THEN 'null' ELSE version_id END, ?5, ?6, ?7
     FROM objects WHERE bucket_id = ?1 AND key = ?2`,
    bucketId,
    key,
    uploadId,
    completed.fingerprint,
    completed.etag,
    completed.checksum === undefined ? null : JSON.stringify(completed.checksum),
    now,
  );
}

/** Looks up a recorded completion. */
export function lookUpCompletion(
  bucketName: string,
  key: string,
  uploadId: string,
): Lookup<{ readonly completed: CompletedUpload | undefined }> {
  interface CompletedRow {
    readonly fingerprint: string;
    readonly version_id: string;
    readonly etag: string;
    readonly checksum: string | null;
  }
  return {
    statements: [
      statement(
        `SELECT fingerprint, version_id, etag, checksum FROM completed_uploads
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND key = ?2 AND upload_id = ?3`,
        bucketName,
        key,
        uploadId,
      ),
    ],
    read: (results) => {
      const row = rowsOf<CompletedRow>(results)[0];
      if (row === undefined) return { completed: undefined };
      const { fingerprint, version_id: versionId, etag } = row;
      // recordCompletion writes this form.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const checksum = row.checksum === null ? undefined : (JSON.parse(row.checksum) as ObjectChecksum);
      return { completed: { fingerprint, versionId, etag, checksum } };
    },
  };
}

/** The address of a recorded completion. */
export type CompletionEntry = readonly [bucketId: string, bucketName: string, key: string, uploadId: string];

/**
 * Looks up at most `limit` completions from before a time (milliseconds since the epoch). A deleted bucket's name is
 * "".
 */
export function lookUpOldCompletions(before: number, limit: number): Lookup<CompletionEntry[]> {
  interface EntryRow {
    readonly bucket_id: string;
    readonly name: string | null;
    readonly key: string;
    readonly upload_id: string;
  }
  return {
    statements: [
      statement(
        `SELECT c.bucket_id, (SELECT b.name FROM buckets b WHERE b.id = c.bucket_id) AS name, c.key, c.upload_id
         FROM completed_uploads c WHERE c.completed_at < ? LIMIT ?`,
        before,
        limit,
      ),
    ],
    read: (results) => rowsOf<EntryRow>(results).map((row) => [row.bucket_id, row.name ?? "", row.key, row.upload_id]),
  };
}

/** Purges recorded completions. */
export function purgeCompletions(entries: readonly CompletionEntry[]): Statement {
  return statement(
    `DELETE FROM completed_uploads WHERE (bucket_id, key, upload_id) IN (
       SELECT value ->> 0, value ->> 2, value ->> 3 FROM json_each(?))`,
    JSON.stringify(entries),
  );
}

// Small blobs: bytes in a row of the bucket's database (inline), until a job packs them with others into one blob of the
// store. The id shows that a blob is small; the row locates its bytes. See "Small blobs" in docs/architecture.md.
import { bodyFromBase64, bodyToBase64 } from "../../bytes/hex-base64.ts";
import { timeOfId, timeOrderedId } from "../../bytes/random-id.ts";
import { rowsOf, statement, type Lookup, type Statement, type StatementResult } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";

const SMALL_SUFFIX = "-small";

/** A new id of a small blob. */
export function smallBlobId(bucketId: string, time: number): string {
  return `${bucketId}/${timeOrderedId(time)}${SMALL_SUFFIX}`;
}

/** Whether a blob is in a database or in a pack, and not in a blob of its own. */
export function isSmallBlobId(blobId: string): boolean {
  return blobId.endsWith(SMALL_SUFFIX);
}

/** When a small blob was written, in milliseconds since the epoch: the time in its id. */
export function timeOfSmallBlob(blobId: string): number {
  return timeOfId(blobId.slice(blobId.indexOf("/") + 1));
}

/** Where the bytes of a small blob are. */
export type SmallBlobPlace =
  | { readonly kind: "inline"; readonly bytes: Uint8Array }
  | { readonly kind: "packed"; readonly packId: string; readonly offset: number };

export interface SmallBlob {
  readonly blobId: string;
  /** Bytes. */
  readonly length: number;
  readonly place: SmallBlobPlace;
}

/** A small blob to insert. */
export interface NewSmallBlob {
  readonly blobId: string;
  readonly bytes: Uint8Array;
  readonly recoveryMetadata: Readonly<Record<string, string>>;
}

/** A small blob as SQL and JSON, of the alias `small`. */
const SMALL_BLOB = "json_array(small.blob_id, small.length, small.pack_id, small.pack_offset, small.bytes)";

type StoredBlob = readonly [string, number, packId: string | null, offset: number | null, bytes: string | null];

/** A column of a version `o`: its small blob, or NULL for another blob. A lookup with it reads no further row of `o`. */
export const SMALL_BLOB_OF_VERSION = `(SELECT ${SMALL_BLOB} FROM small_blobs small WHERE small.blob_id = o.blob_id) AS small_blob`;

/** The small blobs in the rows of statements with {@link SMALL_BLOB_OF_VERSION}. */
export function smallBlobsOf(results: readonly StatementResult[]): SmallBlob[] {
  return results.flatMap(({ rows }) =>
    rowsOf<{ readonly small_blob?: string | null }>([{ rows, changes: 0 }]).flatMap(({ small_blob: json }) =>
      json == null ? [] : [smallBlobFromJson(json)],
    ),
  );
}

function smallBlobFromJson(json: string): SmallBlob {
  // SMALL_BLOB writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const [blobId, length, packId, offset, bytes] = JSON.parse(json) as StoredBlob;
  const place: SmallBlobPlace =
    packId === null
      ? { kind: "inline", bytes: bodyFromBase64(bytes ?? "") }
      : { kind: "packed", packId, offset: offset ?? 0 };
  return { blobId, length, place };
}

/** Looks up small blobs by their ids. */
export function lookUpSmallBlobs(blobIds: readonly string[]): Lookup<SmallBlob[]> {
  return {
    statements: [
      statement(
        `SELECT ${SMALL_BLOB} AS small_blob FROM json_each(?) i CROSS JOIN small_blobs small ON small.blob_id = i.value`,
        JSON.stringify(blobIds),
      ),
    ],
    read: smallBlobsOf,
  };
}

/** A repeated batch inserts the same bytes under the same id. */
const INSERT = `INSERT INTO small_blobs (blob_id, length, recovery_metadata, bytes)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`;

/** Inserts a small blob. Belongs into the batch that references it. */
export function insertSmallBlob({ blobId, bytes, recoveryMetadata }: NewSmallBlob): Statement {
  const row = [blobId, bytes.length, JSON.stringify(recoveryMetadata), bodyToBase64(bytes)];
  return listStatement(INSERT, [row]);
}

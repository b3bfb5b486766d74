// The tables of small blobs and packs, as the jobs that pack and compact see them. See "Small blobs" in
// docs/architecture.md.
import { bodyFromBase64 } from "../../bytes/hex-base64.ts";
import { timePrefix } from "../../bytes/random-id.ts";
import type { NewSmallBlob } from "../blobs/small-blobs.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import type { StoredPack } from "./pack-contents.ts";

/** A pack's content: at most this many blobs, and this many bytes with their recovery metadata. */
const PACK_BLOBS = 1000;
const PACK_BYTES = 4_000_000;
/** The most buckets that one query passes. */
const WALKED_BUCKETS = 300;

/** A bucket with small blobs to pack, and the first of them. */
export interface PackableBucket {
  readonly bucketId: string;
  /** Undefined: none of the walked buckets has any. */
  readonly first: string | undefined;
}

const IS_GARBAGE = "EXISTS (SELECT 1 FROM garbage g WHERE g.blob_id = s.blob_id)";

/** The bucket of the next small blob after those of a bucket. */
const bucketAfter = (id: string): string =>
  `(SELECT substr(n.blob_id, 1, instr(n.blob_id, '/') - 1) FROM small_blobs n
    WHERE n.blob_id > ${id} || '0' ORDER BY n.blob_id LIMIT 1)`;
/** Up to which id earlier passes have packed a bucket; ?3 is 1 for a pass that ignores it. */
const packedTo = (id: string): string =>
  `coalesce((SELECT p.packed_to FROM packs p WHERE ?3 = 0 AND p.packed_to IS NOT NULL
    AND p.pack_id > ${id} || '/' AND p.pack_id < ${id} || '0' ORDER BY p.pack_id DESC LIMIT 1), ${id} || '/')`;
/** The first small blob of a bucket to pack; those from ?2 on are too young. */
const firstOf = (id: string): string =>
  `(SELECT s.blob_id FROM small_blobs s
    WHERE s.blob_id > ${packedTo(id)} AND s.blob_id < ${id} || '/' || ?2 AND s.pack_id IS NULL AND NOT ${IS_GARBAGE}
    ORDER BY s.blob_id LIMIT 1)`;

/**
 * Looks up the next bucket with small blobs to pack; undefined after the last.
 * @param after the bucket id to continue after
 * @param before when the blobs were written at the latest, in milliseconds since the epoch
 * @param isComplete whether to look at rows that earlier passes have passed, too
 */
export function lookUpPackable(after: string, before: number, isComplete: boolean): Lookup<PackableBucket | undefined> {
  return {
    statements: [
      statement(
        `WITH RECURSIVE walk (number, bucket_id) AS (
           SELECT 1, ${bucketAfter("?1")}
           UNION ALL
           SELECT number + 1, ${bucketAfter("w.bucket_id")} FROM walk w
           WHERE number < ${WALKED_BUCKETS} AND w.bucket_id IS NOT NULL AND ${firstOf("w.bucket_id")} IS NULL)
         SELECT bucket_id, ${firstOf("bucket_id")} AS first FROM walk ORDER BY number DESC LIMIT 1`,
        after,
        timePrefix(before),
        isComplete ? 1 : 0,
      ),
    ],
    read: (results) => {
      const row = rowsOf<{ readonly bucket_id: string | null; readonly first: string | null }>(results)[0];
      if (row?.bucket_id == null) return undefined;
      return { bucketId: row.bucket_id, first: row.first ?? undefined };
    },
  };
}

/** Looks up the ids of the small blobs for one pack, from one of a bucket on. */
export function lookUpPackContents(bucketId: string, first: string, before: number): Lookup<string[]> {
  return {
    statements: [
      statement(
        `SELECT s.blob_id, s.length + length(s.recovery_metadata) AS bytes FROM small_blobs s
         WHERE s.blob_id >= ?1 AND s.blob_id < ?2 AND s.pack_id IS NULL AND NOT ${IS_GARBAGE}
         ORDER BY s.blob_id LIMIT ${PACK_BLOBS}`,
        first,
        `${bucketId}/${timePrefix(before)}`,
      ),
    ],
    read: (results) => {
      let bytes = 0;
      const rows = rowsOf<{ readonly blob_id: string; readonly bytes: number }>(results);
      const end = rows.findIndex((row, index) => (bytes += row.bytes) > PACK_BYTES && index > 0);
      return rows.slice(0, end === -1 ? rows.length : end).map((row) => row.blob_id);
    },
  };
}

/** Looks up the inline ones of small blobs with their bytes. */
export function lookUpInlineBytes(blobIds: readonly string[]): Lookup<NewSmallBlob[]> {
  interface InlineRow {
    readonly blob_id: string;
    readonly recovery_metadata: string;
    readonly bytes: string;
  }
  return {
    statements: [
      statement(
        `SELECT s.blob_id, s.recovery_metadata, s.bytes FROM json_each(?) i
         CROSS JOIN small_blobs s ON s.blob_id = i.value WHERE s.pack_id IS NULL ORDER BY s.blob_id`,
        JSON.stringify(blobIds),
      ),
    ],
    read: (results) =>
      rowsOf<InlineRow>(results).map((row) => ({
        blobId: row.blob_id,
        bytes: bodyFromBase64(row.bytes),
        // insertSmallBlob writes this form.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        recoveryMetadata: JSON.parse(row.recovery_metadata) as Record<string, string>,
      })),
  };
}

/** Of the listed small blobs ?2 those that are still in the pack ?3. */
const CHOSEN = `json_each(?2) e CROSS JOIN small_blobs s ON s.blob_id = e.value ->> 0 WHERE s.pack_id IS ?3`;

/**
 * Moves small blobs into a stored pack. Belongs behind a guard of the pack.
 * @param from the pack that they are in; undefined: their rows
 * @param packedTo the last id up to which the bucket is packed now; undefined: unchanged
 */
export function commitPack(
  { packId, size, entries }: StoredPack,
  from: string | undefined,
  packedTo: string | undefined,
): Statement[] {
  const json = JSON.stringify(entries.map(({ blobId, offset }) => [blobId, offset]));
  return [
    statement(
      `INSERT INTO packs (pack_id, size, live_bytes, live_blobs, packed_to)
       SELECT ?1, ?4, sum(s.length), count(*), ?5 FROM ${CHOSEN} HAVING count(*) > 0`,
      packId,
      json,
      from ?? null,
      size,
      packedTo ?? null,
    ),
    statement(
      `UPDATE small_blobs SET pack_id = ?1, pack_offset = m.place, recovery_metadata = NULL, bytes = NULL
       FROM (SELECT s.blob_id AS id, e.value ->> 1 AS place FROM ${CHOSEN}) m WHERE small_blobs.blob_id = m.id`,
      packId,
      json,
      from ?? null,
    ),
  ];
}

/** A pack of which at most half is in use. */
export interface SparsePack {
  readonly packId: string;
  readonly liveBlobs: number;
}

/** Looks up the next pack of which less than half of the bytes, or no blob, is in use. */
export function lookUpSparsePack(after: string): Lookup<SparsePack | undefined> {
  return {
    statements: [
      statement(
        `SELECT pack_id, live_blobs FROM packs
         WHERE pack_id > ? AND (live_blobs <= 0 OR live_bytes * 2 < size) ORDER BY pack_id LIMIT 1`,
        after,
      ),
    ],
    read: (results) => {
      const row = rowsOf<{ readonly pack_id: string; readonly live_blobs: number }>(results)[0];
      return row && { packId: row.pack_id, liveBlobs: row.live_blobs };
    },
  };
}

/** Looks up which small blobs are in a pack. */
export function lookUpLiveBlobs(packId: string, blobIds: readonly string[]): Lookup<ReadonlySet<string>> {
  return {
    statements: [
      statement(
        `SELECT s.blob_id FROM json_each(?2) i CROSS JOIN small_blobs s ON s.blob_id = i.value WHERE s.pack_id = ?1`,
        packId,
        JSON.stringify(blobIds),
      ),
    ],
    read: (results) => new Set(rowsOf<{ readonly blob_id: string }>(results).map((row) => row.blob_id)),
  };
}

/**
 * Makes a pack garbage, unless a small blob is in it.
 * @param droppedAt from when on the recovery window counts, in milliseconds since the epoch
 */
export function releasePack(packId: string, blobIds: readonly string[], droppedAt: number): Statement[] {
  const isUnused = `NOT EXISTS (
    SELECT 1 FROM json_each(?2) i CROSS JOIN small_blobs s ON s.blob_id = i.value WHERE s.pack_id = ?1)`;
  const json = JSON.stringify(blobIds);
  return [
    statement(
      `INSERT INTO garbage (blob_id, dropped_at)
       SELECT pack_id, ?3 FROM packs WHERE pack_id = ?1 AND ${isUnused} ON CONFLICT DO NOTHING`,
      packId,
      json,
      droppedAt,
    ),
    statement(`DELETE FROM packs WHERE pack_id = ?1 AND ${isUnused}`, packId, json),
  ];
}

// Every row of a bucket, in every table, and its blobs: shows that a rejected request changed nothing.
import { expect } from "vitest";

import { bucketId, storedStateOfId } from "./stored-state.ts";
import { metadata } from "./metadata.ts";

type Row = Readonly<Record<string, unknown>>;
export type Rows = Readonly<Record<string, readonly Row[]>>;

const BY_BUCKET = ["buckets", "objects", "versions", "uploads", "completed_uploads", "rename_tokens"];
const BY_PREFIX = { manifests: "manifest_id", shared_blobs: "blob_id", garbage: "blob_id" };

/** The rows of a bucket by table. */
export async function rowsOf(bucket: string): Promise<Rows> {
  return rowsOfId(await bucketId(bucket));
}

/** The rows of a bucket that may be deleted. */
export async function rowsOfId(id: string): Promise<Rows> {
  const read = async (sql: string, ...parameters: unknown[]): Promise<Row[]> =>
    (
      await metadata
        .prepare(sql)
        .bind(...parameters)
        .all<Row>()
    ).results;
  const rows: Record<string, readonly Row[]> = {};
  for (const table of BY_BUCKET) {
    rows[table] = await read(`SELECT * FROM ${table} WHERE ${table === "buckets" ? "id" : "bucket_id"} = ?`, id);
  }
  rows["parts"] = await read(
    "SELECT * FROM parts WHERE upload_id IN (SELECT upload_id FROM uploads WHERE bucket_id = ?)",
    id,
  );
  for (const [table, column] of Object.entries(BY_PREFIX)) {
    const sql = `SELECT * FROM ${table} WHERE ${column} >= ? AND ${column} < ? ORDER BY ${column}`;
    rows[table] = await read(sql, `${id}/`, `${id}0`);
  }
  rows["blobs"] = Object.entries((await storedStateOfId(id)).blobs).map(([blobId, size]) => ({ blobId, size }));
  return rows;
}

/**
 * Runs an action that must be rejected and asserts that it changed no row and no blob. @returns what `refused` returns
 */
export async function expectUntouched<Result>(bucket: string, refused: () => Promise<Result>): Promise<Result> {
  const before = await rowsOf(bucket);
  const result = await refused();
  expect(await rowsOf(bucket)).toEqual(before);
  return result;
}

/**
 * Asserts that the references of a bucket are consistent: every blob is either referenced or garbage, and every
 * reference count is exact.
 */
export async function expectBalanced(bucket: string): Promise<void> {
  const rows = await rowsOf(bucket);
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const held = new Map<string, number>();
  const hold = (referenceId: string): void => void held.set(referenceId, (held.get(referenceId) ?? 0) + 1);
  for (const { blob_id: blobId, manifest_id: manifestId, is_delete_marker: isMarker } of [
    ...(rows["objects"] ?? []),
    ...(rows["versions"] ?? []),
  ]) {
    if (isMarker !== 1) hold(text(blobId) || text(manifestId));
  }
  for (const { holding_id: referenceId } of rows["parts"] ?? []) hold(text(referenceId));
  for (const { holdings } of rows["manifests"] ?? []) {
    const ids: unknown = JSON.parse(text(holdings));
    if (Array.isArray(ids)) for (const id of ids) hold(text(id));
  }
  const garbage = new Set((rows["garbage"] ?? []).map(({ blob_id: id }) => text(id)));
  const counted = new Map((rows["shared_blobs"] ?? []).map(({ blob_id: id, holders }) => [text(id), Number(holders)]));
  const stored = [
    ...(rows["blobs"] ?? []).map(({ blobId }) => text(blobId)),
    ...(rows["manifests"] ?? []).map(({ manifest_id: id }) => text(id)),
  ];
  for (const id of new Set([...held.keys(), ...stored])) {
    const holders = held.get(id) ?? 0;
    expect({ id, isStored: stored.includes(id) }).toEqual({ id, isStored: true });
    expect({ id, isGarbage: garbage.has(id) }).toEqual({ id, isGarbage: holders === 0 });
    expect({ id, counted: counted.get(id) ?? (holders === 0 ? 0 : 1) }).toEqual({ id, counted: holders });
  }
}

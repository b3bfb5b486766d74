// The stored state, read without the Worker: the rows of a bucket, its blobs, and its garbage.
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { metadata } from "./metadata.ts";

/** Everything that is stored for a bucket. */
export interface StoredState {
  /** By key. */
  readonly objects: Readonly<Record<string, StoredStateObject>>;
  /** Sizes of the blobs in R2 and of the small blobs in the database, in the order of their ids. */
  readonly blobs: Readonly<Record<string, number>>;
  /** Ids of the garbage blobs. */
  readonly garbage: readonly string[];
}

export interface StoredStateObject {
  readonly version_id: string;
  readonly etag: string;
  readonly size: number;
  readonly blob_id: string;
}

/** The id of a bucket. */
export async function bucketId(name: string): Promise<string> {
  const row = await metadata.prepare("SELECT id FROM buckets WHERE name = ?").bind(name).first<{ id: string }>();
  if (row === null) throw new Error(`no bucket ${name}`);
  return row.id;
}

/** What is stored for a bucket. */
export async function storedStateOf(name: string): Promise<StoredState> {
  return storedStateOfId(await bucketId(name));
}

/** The stored state of a bucket that may be deleted. */
export async function storedStateOfId(id: string): Promise<StoredState> {
  const objects = await metadata
    .prepare("SELECT key, version_id, etag, size, blob_id FROM objects WHERE bucket_id = ? ORDER BY key")
    .bind(id)
    .all<StoredStateObject & { key: string }>();
  const garbage = await metadata
    .prepare("SELECT blob_id FROM garbage WHERE blob_id >= ?1 AND blob_id < ?2 ORDER BY 1")
    .bind(`${id}/`, `${id}0`)
    .all<{ blob_id: string }>();
  const small = await metadata
    .prepare("SELECT blob_id, length FROM small_blobs WHERE blob_id >= ?1 AND blob_id < ?2 ORDER BY 1")
    .bind(`${id}/`, `${id}0`)
    .all<{ blob_id: string; length: number }>();
  return {
    objects: Object.fromEntries(objects.results.map(({ key, ...object }) => [key, object])),
    blobs: Object.fromEntries(
      [
        ...(await blobsUnder(`${id}/`)).map(({ key, size }) => [key, size] as const),
        ...small.results.map((row) => [row.blob_id, row.length] as const),
      ].toSorted(([one], [other]) => (one < other ? -1 : 1)),
    ),
    garbage: garbage.results.map((row) => row.blob_id),
  };
}

/**
 * Runs an action that must be rejected and asserts that it stored nothing: the same rows, blobs and garbage. @returns
 * what `refused` returns
 */
export async function expectNoTrace<Result>(bucket: string, refused: () => Promise<Result>): Promise<Result> {
  const before = await storedStateOf(bucket);
  const result = await refused();
  expect(await storedStateOf(bucket)).toEqual(before);
  return result;
}

/** Asserts that every object has its bytes in the blob store and that none of them is garbage. */
export function expectNothingMissing({ objects, blobs, garbage }: StoredState): void {
  for (const [key, { blob_id: blobId, size }] of Object.entries(objects)) {
    expect({ key, size: blobs[blobId] }).toEqual({ key, size });
    expect(garbage, key).not.toContain(blobId);
  }
}

/** Asserts in addition that every blob belongs to an object or is garbage. */
export function expectNothingLeftOver(storedState: StoredState): void {
  expectNothingMissing(storedState);
  const accounted = new Set([
    ...Object.values(storedState.objects).map(({ blob_id: id }) => id),
    ...storedState.garbage,
  ]);
  expect(Object.keys(storedState.blobs).filter((id) => !accounted.has(id))).toEqual([]);
}

async function blobsUnder(prefix: string): Promise<R2Object[]> {
  const found: R2Object[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await env.BLOBS.list(cursor === undefined ? { prefix } : { prefix, cursor });
    found.push(...page.objects);
    if (!page.truncated) return found;
    cursor = page.cursor;
  }
}

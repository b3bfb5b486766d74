// Small blobs in tests: a scope that stores small bodies in the database, and what the database has of them.
import { afterAll, beforeAll } from "vitest";

import { overrideEnvironment } from "./client.ts";
import { metadata } from "./metadata.ts";
import { bucketId } from "./stored-state.ts";

/** The settings under which bodies of up to 4 KiB are stored in the database. */
export const INLINE = { INLINE_MAX_BYTES: "4096" };

/** The setting under which every body is a blob of the store, for tests of blobs and of calls to their store. */
export const IN_STORE = { INLINE_MAX_BYTES: "0" };

/** Stores all bodies of a test file in the blob store, because its tests are about blobs there. */
export function storeBodiesInBlobs(): void {
  beforeAll(() => {
    overrideEnvironment(IN_STORE);
  });
  afterAll(() => {
    overrideEnvironment({});
  });
}

/** A row of a small blob. */
export interface SmallRow {
  readonly blob_id: string;
  readonly length: number;
  readonly pack_id: string | null;
  readonly pack_offset: number | null;
  readonly recovery_metadata: string | null;
  readonly bytes: string | null;
}

/** The small blobs of a bucket, in the order of their ids. */
export async function smallBlobsOf(bucket: string): Promise<SmallRow[]> {
  return smallBlobsOfId(await bucketId(bucket));
}

export async function smallBlobsOfId(id: string): Promise<SmallRow[]> {
  const { results } = await metadata
    .prepare("SELECT * FROM small_blobs WHERE blob_id >= ? AND blob_id < ? ORDER BY blob_id")
    .bind(`${id}/`, `${id}0`)
    .all<SmallRow>();
  return results;
}

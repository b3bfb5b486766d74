import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { ByteSelection } from "../../src/protocol/core/range.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import {
  purgeManifests,
  insertManifest,
  lookUpSlices,
  partsFromRows,
  selectParts,
  selectManifestIds,
  type Manifest,
  type Slice,
} from "../../src/state/metadata/manifests.ts";
import { cutSlices } from "../../src/state/reads/object-bytes.ts";

const database = new Database(env.DB, new Counts());

/** A manifest of slices of these lengths, each a part of its own. */
async function manifestOf(lengths: readonly number[]): Promise<Manifest> {
  const id = crypto.randomUUID();
  const slices: Slice[] = [];
  let start = 0;
  for (const [index, length] of lengths.entries()) {
    slices.push({ start, blobId: `${id}/${index}`, offset: index, length });
    start += length;
  }
  const parts = slices.map((slice, index) => ({
    partNumber: 2 * index + 1,
    start: slice.start,
    size: slice.length,
    checksum: index === 0 ? undefined : `c${index}`,
  }));
  const manifest = { manifestId: `${id}/m`, slices, parts, references: slices.map(({ blobId }) => blobId) };
  await database.batch(insertManifest(manifest));
  return manifest;
}

function select({ manifestId }: Manifest, selection: ByteSelection): Promise<Slice[]> {
  return database.look(lookUpSlices(manifestId, selection));
}

async function garbageOf(references: readonly string[]): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT blob_id FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?)) ORDER BY blob_id",
  )
    .bind(JSON.stringify(references))
    .all<{ blob_id: string }>();
  return results.map((row) => row.blob_id);
}

describe("the slices of a manifest", () => {
  it("are those that overlap a range, and no others", async () => {
    const manifest = await manifestOf([10, 1, 20, 5]);
    const [a, b, c, d] = manifest.slices;
    for (const [first, last, slices] of [
      [0, 0, [a]],
      [9, 9, [a]],
      [9, 10, [a, b]],
      [10, 10, [b]],
      [11, 30, [c]],
      [0, 35, [a, b, c, d]],
      [30, 31, [c, d]],
      [35, 35, [d]],
      [36, 99, []],
    ] as const) {
      expect(await select(manifest, { kind: "bytes", first, last }), `${first}-${last}`).toEqual(slices);
    }
  });

  it("are those of a suffix, however long", async () => {
    const manifest = await manifestOf([10, 1, 20, 5]);
    for (const [length, count] of [
      [1, 1],
      [5, 1],
      [6, 2],
      [25, 2],
      [26, 3],
      [36, 4],
      [1000, 4],
    ] as const) {
      const found = await select(manifest, { kind: "suffix", length });
      expect(found.slice(-count), String(length)).toEqual(manifest.slices.slice(-count));
      expect(found.length, String(length)).toBeLessThanOrEqual(count + 1);
    }
  });

  it("are those of a part by its number, and none of a number that there is no part of", async () => {
    const manifest = await manifestOf([10, 1, 20]);
    expect(await select(manifest, { kind: "part", partNumber: 3 })).toEqual(manifest.slices.slice(1, 2));
    expect(await select(manifest, { kind: "part", partNumber: 2 })).toEqual([]);
  });

  it("are in order across the pages of a long one", async () => {
    const manifest = await manifestOf(Array.from({ length: 20_001 }, () => 3));
    const found = await select(manifest, { kind: "bytes", first: 29_998, last: 30_001 });
    expect(found).toEqual(manifest.slices.slice(9999, 10_001));
    expect(await select(manifest, { kind: "suffix", length: 3 })).toEqual(
      expect.arrayContaining(manifest.slices.slice(-1)),
    );
    const row = await env.DB.prepare("SELECT count(*) AS pages FROM manifests WHERE manifest_id = ?")
      .bind(manifest.manifestId)
      .first<{ pages: number }>();
    expect(row?.pages).toBeGreaterThan(1);
  });

  it("are cut to a range", async () => {
    const { slices } = await manifestOf([10, 1, 20]);
    expect(cutSlices(slices, { offset: 9, length: 4 }).map(({ range }) => range)).toEqual([
      { offset: 9, length: 1 },
      { offset: 1, length: 1 },
      { offset: 2, length: 2 },
    ]);
    expect(cutSlices(slices, { offset: 31, length: 5 })).toEqual([]);
  });
});

it("the parts of a manifest are as they were stored", async () => {
  const manifest = await manifestOf([10, 1, 20]);
  const statement = selectParts({ sql: "SELECT ?1", parameters: [manifest.manifestId] });
  const [result] = await database.batch([statement]);
  expect(partsFromRows(result?.rows ?? [])).toEqual(manifest.parts);
  expect(partsFromRows([])).toEqual([]);
});

describe("a manifest that nobody holds any more", () => {
  it("drops what it held, but for what others hold too", async () => {
    const manifest = await manifestOf([1, 2, 3]);
    const [mine = "", shared = "", twice = ""] = manifest.references;
    await env.DB.prepare("INSERT INTO shared_blobs (blob_id, holders) VALUES (?1, 2), (?2, 1)")
      .bind(shared, twice)
      .run();
    await database.batch(purgeManifests([manifest.manifestId], 5));
    expect(await garbageOf(manifest.references)).toEqual([mine, twice].toSorted());
    const { results } = await env.DB.prepare("SELECT blob_id, holders FROM shared_blobs WHERE blob_id IN (?1, ?2)")
      .bind(shared, twice)
      .all();
    expect(results).toEqual([{ blob_id: shared, holders: 1 }]);
    expect(await database.look(selectManifestIds([manifest.manifestId]))).toEqual(new Map());
  });

  it("goes also where what it held is garbage already, which would stop the collector for ever", async () => {
    const manifest = await manifestOf([1, 2]);
    await env.DB.prepare("INSERT INTO garbage VALUES (?, 3)").bind(manifest.references[0]).run();
    await database.batch(purgeManifests([manifest.manifestId], 5));
    expect(await garbageOf(manifest.references)).toEqual(manifest.references.toSorted());
  });

  it("drops a blob that it holds twice only when it held it last", async () => {
    const blobId = crypto.randomUUID();
    const slice = { start: 0, blobId, offset: 0, length: 1 };
    const ids = [0, 1].map((index) => `${blobId}/m${index}`);
    for (const manifestId of ids) {
      const slices = [slice, { ...slice, start: 1 }];
      await database.batch(insertManifest({ manifestId, slices, parts: [], references: [blobId, blobId] }));
    }
    await env.DB.prepare("INSERT INTO shared_blobs (blob_id, holders) VALUES (?, 4)").bind(blobId).run();
    await database.batch(purgeManifests(ids.slice(0, 1), 5));
    expect(await garbageOf([blobId])).toEqual([]);
    await database.batch(purgeManifests(ids.slice(1), 5));
    expect(await garbageOf([blobId])).toEqual([blobId]);
  });

  it("is told from a blob", async () => {
    const manifest = await manifestOf([1]);
    const bytes = JSON.stringify(manifest.references).length;
    expect(await database.look(selectManifestIds([...manifest.references, manifest.manifestId]))).toEqual(
      new Map([[manifest.manifestId, bytes]]),
    );
  });
});

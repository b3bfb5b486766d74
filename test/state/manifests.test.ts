import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { ObjectPart } from "../../src/protocol/objects/object-reading.ts";
import { ALL_BYTES, type ByteSelection } from "../../src/protocol/core/range.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database, statement, type Statement } from "../../src/state/d1/database.ts";
import {
  lookUpSlices,
  partsFromRows,
  selectParts,
  type PartSelection,
} from "../../src/state/metadata/manifest-reads.ts";
import {
  purgeManifests,
  insertManifest,
  selectManifestIds,
  type Manifest,
  type Slice,
} from "../../src/state/metadata/manifests.ts";
import { cutSlices } from "../../src/state/reads/object-bytes.ts";

const database = new Database(env.DB, new Counts());

/** The stored form of manifest pages, with and without positions. */
const FORMS = {
  "with positions": insertManifest,
  "from before pages had positions": ({ manifestId, slices, parts, references }: Manifest): Statement[] => {
    const entries = 5000;
    const pages = Math.max(1, Math.ceil(Math.max(slices.length, parts.length, references.length) / entries));
    return Array.from({ length: pages }, (_, page) => {
      const ofPage = <Entry>(all: readonly Entry[]): readonly Entry[] =>
        all.slice(page * entries, (page + 1) * entries);
      return statement(
        `INSERT INTO manifests (manifest_id, page, slices, parts, holdings) VALUES (?, ?, ?, ?, ?)`,
        manifestId,
        page,
        JSON.stringify(ofPage(slices).map(({ start, blobId, offset, length }) => [start, blobId, offset, length])),
        JSON.stringify(ofPage(parts).map((part) => [part.partNumber, part.start, part.size, part.checksum ?? null])),
        JSON.stringify(ofPage(references)),
      );
    });
  },
} as const;
type Form = keyof typeof FORMS;

/** A manifest of slices with these lengths, each a part of its own, except slices without a part. */
async function manifestOf(lengths: readonly number[], form: Form = "with positions"): Promise<Manifest> {
  const id = crypto.randomUUID();
  const slices: Slice[] = [];
  const parts: ObjectPart[] = [];
  let start = 0;
  for (const [index, length] of lengths.entries()) {
    if (length > 0) slices.push({ start, blobId: `${id}/${index}`, offset: index, length });
    const checksum = index === 0 ? undefined : `c${index}`;
    parts.push({ partNumber: 2 * index + 1, start, size: length, checksum });
    start += length;
  }
  const references = lengths.map((_, index) => `${id}/${index}`);
  const manifest = { manifestId: `${id}/m`, slices, parts, references };
  await database.batch(FORMS[form](manifest));
  return manifest;
}

function select({ manifestId }: Manifest, selection: ByteSelection): Promise<Slice[]> {
  return database.look(lookUpSlices(manifestId, selection));
}

async function partsOf({ manifestId }: Manifest, selection: PartSelection): Promise<ObjectPart[]> {
  const [result] = await database.batch([selectParts({ sql: "SELECT ?1", parameters: [manifestId] }, selection)]);
  return partsFromRows(result?.rows ?? []);
}

async function garbageOf(references: readonly string[]): Promise<string[]> {
  const { results } = await env.DB.prepare(
    "SELECT blob_id FROM garbage WHERE blob_id IN (SELECT value FROM json_each(?)) ORDER BY blob_id",
  )
    .bind(JSON.stringify(references))
    .all<{ blob_id: string }>();
  return results.map((row) => row.blob_id);
}

describe.each(["with positions", "from before pages had positions"] as const)("the slices of a manifest %s", (form) => {
  it("are exactly those that overlap a range", async () => {
    const manifest = await manifestOf([10, 1, 20, 5], form);
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

  it("are exactly those of a suffix of any length", async () => {
    const manifest = await manifestOf([10, 1, 20, 5], form);
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

  it("are those of a part by number, and none for a missing part number", async () => {
    const manifest = await manifestOf([10, 1, 20], form);
    expect(await select(manifest, { kind: "part", partNumber: 3 })).toEqual(manifest.slices.slice(1, 2));
    expect(await select(manifest, { kind: "part", partNumber: 2 })).toEqual([]);
  });

  it("are none when the manifest is empty or missing", async () => {
    for (const manifestId of [(await manifestOf([0], form)).manifestId, "none"]) {
      for (const selection of [ALL_BYTES, { kind: "suffix", length: 1 }, { kind: "part", partNumber: 1 }] as const) {
        expect(await database.look(lookUpSlices(manifestId, selection))).toEqual([]);
      }
    }
  });

  it("are in order across the pages of a long one, for any range", async () => {
    const manifest = await manifestOf([...Array.from({ length: 10_001 }, () => 3), 0], form);
    const size = 30_003;
    for (const [first, last] of [
      [0, 0],
      [383, 384],
      [384, 384],
      [385, 1153],
      [14_999, 15_000],
      [size - 4, size],
      [0, size],
    ] as const) {
      const overlapping = manifest.slices.slice(Math.floor(first / 3), Math.floor(last / 3) + 1);
      expect(await select(manifest, { kind: "bytes", first, last }), `${first}-${last}`).toEqual(overlapping);
    }
    for (const length of [1, 3, 384, 385, size, size + 1]) {
      const found = await select(manifest, { kind: "suffix", length });
      const expected = manifest.slices.slice(-Math.ceil(length / 3));
      expect(found.slice(-expected.length), String(length)).toEqual(expected);
      expect(found.length - expected.length).toBeLessThanOrEqual(1);
    }
    for (const index of [0, 127, 128, 129, 4999, 5000, 9999, 10_000]) {
      const slices = await select(manifest, { kind: "part", partNumber: 2 * index + 1 });
      expect(slices, String(index)).toEqual(manifest.slices.slice(index, index + 1));
      expect(await partsOf(manifest, { kind: "one", partNumber: 2 * index + 1 })).toEqual([manifest.parts[index]]);
      expect(await partsOf(manifest, { kind: "one", partNumber: 2 * index + 2 })).toEqual([]);
    }
    const last = 2 * 10_001 + 1;
    expect(await select(manifest, { kind: "part", partNumber: last })).toEqual([]);
    expect(await partsOf(manifest, { kind: "one", partNumber: last })).toEqual(manifest.parts.slice(-1));
  });

  it("have part numbers, all of them or a page after a number", async () => {
    const manifest = await manifestOf([10, 1, 20, 0], form);
    expect(await partsOf(manifest, { kind: "all" })).toEqual(manifest.parts);
    const long = await manifestOf([...Array.from({ length: 9999 }, () => 3), 0], form);
    expect(await partsOf(long, { kind: "all" })).toEqual(long.parts);
    for (const [after, limit] of [
      [0, 1],
      [1, 2],
      [254, 2],
      [255, 200],
      [256, 1],
      [9_000, 1001],
      [19_990, 1001],
      [19_999, 5],
    ] as const) {
      const found = (await partsOf(long, { kind: "page", after, limit })).filter((part) => part.partNumber > after);
      const expected = long.parts.filter((part) => part.partNumber > after).slice(0, limit);
      expect(found.slice(0, limit), `${limit} after ${after}`).toEqual(expected);
    }
  });

  it("can share a part: the part is found by its number, and so is the next one", async () => {
    const id = crypto.randomUUID();
    const slices = Array.from({ length: 600 }, (_, index) => ({
      start: index,
      blobId: `${id}/${index}`,
      offset: 0,
      length: 1,
    }));
    const parts = [
      { partNumber: 2, start: 0, size: 50, checksum: undefined },
      { partNumber: 5, start: 50, size: 450, checksum: "c" },
      { partNumber: 7, start: 500, size: 100, checksum: undefined },
    ];
    const manifest = { manifestId: `${id}/m`, slices, parts, references: [`${id}/0`] };
    await database.batch(FORMS[form](manifest));
    for (const part of parts) {
      const selection = { kind: "part", partNumber: part.partNumber } as const;
      expect(await select(manifest, selection)).toEqual(slices.slice(part.start, part.start + part.size));
    }
    for (const [after, expected] of [
      [0, [2, 5, 7]],
      [2, [5, 7]],
      [4, [5, 7]],
      [5, [7]],
      [7, []],
    ] as const) {
      const found = await partsOf(manifest, { kind: "page", after, limit: 1000 });
      expect(found.map(({ partNumber }) => partNumber).filter((number) => number > after)).toEqual(expected);
    }
  });
});

it("the slices of a manifest are cut to a range", async () => {
  const { slices } = await manifestOf([10, 1, 20]);
  expect(cutSlices(slices, { offset: 9, length: 4 }).map(({ range }) => range)).toEqual([
    { offset: 9, length: 1 },
    { offset: 1, length: 1 },
    { offset: 2, length: 2 },
  ]);
  expect(cutSlices(slices, { offset: 31, length: 5 })).toEqual([]);
});

describe("an unreferenced manifest", () => {
  it("releases its blobs, except those with other references", async () => {
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

  it("is deleted even when its blobs are already garbage, which must not stop the collector", async () => {
    const manifest = await manifestOf([1, 2]);
    await env.DB.prepare("INSERT INTO garbage VALUES (?, 3)").bind(manifest.references[0]).run();
    await database.batch(purgeManifests([manifest.manifestId], 5));
    expect(await garbageOf(manifest.references)).toEqual(manifest.references.toSorted());
  });

  it("makes a blob that it contains twice garbage only with its last reference", async () => {
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

  it("is distinguishable from a blob", async () => {
    const manifest = await manifestOf([1]);
    const bytes = JSON.stringify(manifest.references).length;
    expect(await database.look(selectManifestIds([...manifest.references, manifest.manifestId]))).toEqual(
      new Map([[manifest.manifestId, bytes]]),
    );
  });
});

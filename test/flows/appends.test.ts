// Long objects that grow by appends: their slices, parts, checksums, references and costs, whatever else refers to their
// blobs, and what a cut body or a lost answer leaves.
import { describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { appendAll, expectContent, sendAppend } from "../support/appends.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { ALGORITHMS, checksum, checksumHeader, expectBytes, noise } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { metadata } from "../support/metadata.ts";
import { uploadInParts } from "../support/multipart.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { versionedBucket } from "../support/versioning.ts";

const KIB = 1024;
const HOUR_MS = 3_600_000;
/** Each is longer than all that follow it, and two of them are too long to be merged always. */
const PIECES = [200, 80, 40, 5].map((size, index) => noise(size * KIB, index + 1));
const WHOLE = joined(PIECES);

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => Array.from(piece)));
}

/** The number of slices and parts of a key's manifest, and of its references. */
async function manifestOf(bucket: string, key: string): Promise<{ slices: number; parts: number; holdings: number }> {
  const found = await metadata
    .prepare(
      `SELECT sum(json_array_length(slices)) AS slices, sum(json_array_length(parts)) AS parts,
         sum(json_array_length(holdings)) AS holdings
       FROM manifests WHERE manifest_id = (SELECT manifest_id FROM objects WHERE bucket_id = ? AND key = ?)`,
    )
    .bind(await bucketId(bucket), key)
    .first<{ slices: number; parts: number; holdings: number }>();
  return found ?? { slices: 0, parts: 0, holdings: 0 };
}

/** Collects the bucket's garbage, twice: what a purged manifest releases is collected later. */
async function collect(): Promise<void> {
  await runPass(collectGarbage, Date.now() + 48 * HOUR_MS);
  await runPass(collectGarbage, Date.now() + 96 * HOUR_MS);
}

describe("an object that grows by appends", () => {
  it("has one blob while it is short, and few slices later", async () => {
    const bucket = await freshBucket();
    await appendAll(bucket, "k", PIECES);
    await expectContent(bucket, "k", WHOLE);
    expect(await manifestOf(bucket, "k")).toEqual({ slices: 2, parts: 2, holdings: 3 });
    const response = await send("GET", `/${bucket}/k?partNumber=2`);
    expect(response.headers.get("x-amz-mp-parts-count")).toBe("2");
    await expectBytes(response, WHOLE.subarray(200 * KIB));
    await expectSoundReferences(bucket);
    await collect();
    await expectContent(bucket, "k", WHOLE);
    await expectSoundReferences(bucket);
    const { blobs, garbage } = await storedStateOf(bucket);
    expect(Object.keys(blobs)).toHaveLength(3);
    expect(garbage).toEqual([]);
  });

  it.each(ALGORITHMS)("has a checksum of %s that its reads verify", async (algorithm) => {
    const bucket = await freshBucket();
    for (const [index, piece] of PIECES.entries()) {
      const offset = PIECES.slice(0, index).reduce((sum, { length }) => sum + length, 0);
      await appendAll(bucket, "k", [piece], { [checksumHeader(algorithm)]: checksum(algorithm, piece) }, offset);
    }
    const head = await send("HEAD", `/${bucket}/k`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    const isCrc = algorithm.startsWith("CRC");
    expect(head.headers.get("x-amz-checksum-type")).toBe(isCrc ? "FULL_OBJECT" : "COMPOSITE");
    if (isCrc) expect(head.headers.get(checksumHeader(algorithm))).toBe(checksum(algorithm, WHOLE));
    else expect(head.headers.get(checksumHeader(algorithm))).toMatch(/-2$/);
    const part = await send("HEAD", `/${bucket}/k?partNumber=2`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    const last = WHOLE.subarray(200 * KIB);
    expect(part.headers.get(checksumHeader(algorithm))).toBe(checksum(algorithm, last));
    await expectContent(bucket, "k", WHOLE);
  });

  it("has another ETag after each append, which is no MD5 of a part", async () => {
    const bucket = await freshBucket();
    const etags = new Set<string | null>();
    let offset = 0;
    for (const piece of [...PIECES, ...PIECES]) {
      etags.add((await appendAll(bucket, "k", [piece], {}, offset)).headers.get("etag"));
      offset += piece.length;
    }
    expect(etags.size).toBe(8);
    expect(Array.from(etags).at(3)).toMatch(/^"[0-9a-f]{32}-2"$/);
  });

  it("under a customer's key is encrypted and merged like any other", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(3));
    await appendAll(bucket, "k", PIECES, headers);
    await expectContent(bucket, "k", WHOLE, headers);
    expect(await manifestOf(bucket, "k")).toMatchObject({ slices: 2, parts: 2 });
    const head = await send("HEAD", `/${bucket}/k`, { headers: { ...headers, "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", WHOLE));
    const { results } = await metadata
      .prepare(`SELECT parts FROM manifests WHERE manifest_id LIKE ?`)
      .bind(`${await bucketId(bucket)}/%`)
      .all<{ parts: string }>();
    for (const { parts } of results) expect(parts).not.toContain(checksum("CRC64NVME", PIECES[0] ?? WHOLE));
    await expectSoundReferences(bucket);
  });

  it("continues a multipart upload and keeps its parts", async () => {
    const bucket = await freshBucket();
    const large = noise(5 * KIB * KIB, 7);
    await uploadInParts(bucket, "k", [large, "tail"]);
    await appendAll(bucket, "k", [" and", " more"], {}, large.length + 4);
    const { slices, parts } = await manifestOf(bucket, "k");
    expect({ slices, parts }).toEqual({ slices: 2, parts: 2 });
    const part = await send("GET", `/${bucket}/k?partNumber=2`);
    expect(await part.text()).toBe("tail and more");
    await expectBytes(await send("GET", `/${bucket}/k?partNumber=1`), large);
    await collect();
    await expectSoundReferences(bucket);
    expect(await (await send("GET", `/${bucket}/k?partNumber=2`)).text()).toBe("tail and more");
  });
});

describe("blobs that an append shares", () => {
  it("stay with older versions of the key", async () => {
    const bucket = await versionedBucket();
    const versions: [string, Uint8Array][] = [];
    let offset = 0;
    for (const piece of PIECES) {
      const response = await appendAll(bucket, "k", [piece], {}, offset);
      offset += piece.length;
      versions.push([response.headers.get("x-amz-version-id") ?? "", WHOLE.subarray(0, offset)]);
    }
    await collect();
    await expectSoundReferences(bucket);
    for (const [versionId, bytes] of versions) {
      await expectBytes(await send("GET", `/${bucket}/k?versionId=${versionId}`), bytes);
    }
    for (const [versionId] of versions.slice(0, 3)) await send("DELETE", `/${bucket}/k?versionId=${versionId}`);
    await collect();
    await expectSoundReferences(bucket);
    await expectContent(bucket, "k", WHOLE);
  });

  it("stay with copies and renamed objects of every length", async () => {
    const bucket = await freshBucket();
    let offset = 0;
    for (const [index, piece] of PIECES.entries()) {
      await appendAll(bucket, "k", [piece], {}, offset);
      offset += piece.length;
      await send("PUT", `/${bucket}/copy-${index}`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    }
    await appendAll(bucket, "copy-3", ["x"], {}, offset);
    await send("PUT", `/${bucket}/renamed?renameObject`, { headers: { "x-amz-rename-source": `/${bucket}/k` } });
    await appendAll(bucket, "renamed", ["y"], {}, offset);
    await collect();
    await expectSoundReferences(bucket);
    offset = 0;
    for (const [index, piece] of PIECES.slice(0, 3).entries()) {
      offset += piece.length;
      await expectContent(bucket, `copy-${index}`, WHOLE.subarray(0, offset));
    }
    await expectContent(bucket, "copy-3", joined([WHOLE, new Uint8Array([120])]));
    await expectContent(bucket, "renamed", joined([WHOLE, new Uint8Array([121])]));
    for (const key of ["copy-0", "copy-1", "copy-2", "copy-3"]) await send("DELETE", `/${bucket}/${key}`);
    await collect();
    await expectSoundReferences(bucket);
    await expectContent(bucket, "renamed", joined([WHOLE, new Uint8Array([121])]));
    await send("DELETE", `/${bucket}/renamed`);
    await collect();
    const { blobs, garbage } = await storedStateOf(bucket);
    expect({ blobs, garbage }).toEqual({ blobs: {}, garbage: [] });
  });

  it("are handed on where versioning is suspended, too", async () => {
    const bucket = await versionedBucket();
    await appendAll(bucket, "k", PIECES.slice(0, 2));
    await send("PUT", `/${bucket}?versioning`, {
      body: "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    });
    await appendAll(bucket, "k", PIECES.slice(2), {}, 280 * KIB);
    await collect();
    await expectSoundReferences(bucket);
    await expectContent(bucket, "k", WHOLE);
  });
});

describe("the cost of an append", () => {
  it("is one lookup, one batch, one coordinator call, and one blob beside what it merges", async () => {
    const bucket = await freshBucket();
    const costs = [];
    for (const [offset, piece] of [
      [0, PIECES[0]],
      [200 * KIB, "short"],
      [200 * KIB + 5, "short"],
    ] as const) {
      costs.push(costOf(await sendAppend(bucket, "k", offset, piece ?? "")));
    }
    expect(costs.map(({ roundTrips, coordinatorCalls }) => ({ roundTrips, coordinatorCalls }))).toEqual(
      costs.map(() => ({ roundTrips: 2, coordinatorCalls: 1 })),
    );
    // The blob; the blob and the proof of two slices; these and the merged slice.
    expect(costs.map(({ blobCalls }) => blobCalls)).toEqual([1, 2, 3]);
    await appendAll(bucket, "short", ["short", "short"]);
    const { blobCalls } = costOf(await sendAppend(bucket, "short", 10, "short"));
    expect(blobCalls).toBe(2);
  });

  it("does not grow with the number of slices", async () => {
    const bucket = await freshBucket();
    const rows = [];
    for (const count of [2, 6]) {
      const key = `of-${count}`;
      const parts = Array.from({ length: count }, (_, index) => noise(5 * KIB * KIB, index));
      await uploadInParts(bucket, key, parts);
      const size = count * 5 * KIB * KIB;
      await appendAll(bucket, key, ["first", "second"], {}, size);
      const { rowsRead, rowsWritten } = costOf(await sendAppend(bucket, key, size + 11, "third"));
      rows.push({ rowsRead, rowsWritten });
    }
    expect(rows[0]?.rowsWritten).toBe(rows[1]?.rowsWritten);
  });
});

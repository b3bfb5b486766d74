// Objects with the maximum number of parts: their cost is counted, and every byte is read.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { assemble } from "../../src/state/metadata/assembly.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { insertManifest, PAGE_SLICES } from "../../src/state/metadata/manifests.ts";
import type { Part } from "../../src/state/metadata/parts.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const PARTS = 10_000;
const PART_BYTES = 5 * 1024 ** 2;

/** Begins an upload with 10,000 parts that share one blob, as if each was copied from one object. */
async function uploadOfManyParts(bucket: string): Promise<{ readonly uploadId: string; readonly document: string }> {
  await send("PUT", `/${bucket}/source`, { body: new Uint8Array(PART_BYTES).fill(97) });
  const created = await (await send("POST", `/${bucket}/k?uploads`)).text();
  const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(created)?.[1] ?? "";
  const blob = await env.DB.prepare(
    "SELECT o.blob_id, o.etag FROM objects o JOIN buckets b ON b.id = o.bucket_id WHERE b.name = ? AND o.key = 'source'",
  )
    .bind(bucket)
    .first<{ blob_id: string; etag: string }>();
  const numbers = JSON.stringify(Array.from({ length: PARTS }, (_, index) => index + 1));
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO parts (upload_id, part_number, holding_id, size, etag, modified_at)
       SELECT ?1, value, ?2, ?3, ?4, 0 FROM json_each(?5)`,
    ).bind(uploadId, blob?.blob_id, PART_BYTES, blob?.etag, numbers),
    env.DB.prepare("INSERT INTO shared_blobs (blob_id, holders) VALUES (?, ?)").bind(blob?.blob_id, PARTS + 1),
  ]);
  const listed = Array.from(
    { length: PARTS },
    (_, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${blob?.etag}</ETag></Part>`,
  );
  return { uploadId, document: `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>` };
}

/**
 * Some rows for the object and the index of its pages, plus the parts of one page when a request names a part number.
 */
const FEW_ROWS = 20;

/** Asserts that reading a range of the object `k` costs only the rows of the pages that cover it. */
async function expectCheapReads(bucket: string): Promise<void> {
  const size = PARTS * PART_BYTES;
  const cost = async (method: string, target: string, headers: Readonly<Record<string, string>> = {}) => {
    const response = await send(method, `/${bucket}/${target}`, { headers });
    const text = method === "HEAD" ? "" : await response.text();
    expect([200, 206], text).toContain(response.status);
    const { roundTrips, rowsRead } = costOf(response);
    return { roundTrips, rowsRead, text, headers: response.headers };
  };
  for (const range of ["0-0", `${size / 2}-${size / 2}`, `${size - 1}-${size - 1}`, `${size - 1}-`, "-1"]) {
    const { roundTrips, rowsRead, text } = await cost("GET", "k", { range: `bytes=${range}` });
    expect({ range, roundTrips, text }).toEqual({ range, roundTrips: 1, text: "a" });
    expect(rowsRead, range).toBeLessThan(FEW_ROWS);
  }
  for (const partNumber of [1, 128, 129, 5000, 10_000]) {
    const read = await cost("HEAD", `k?partNumber=${partNumber}`);
    expect(read.headers.get("content-length")).toBe(String(PART_BYTES));
    expect(read.rowsRead, `HEAD of part ${partNumber}`).toBeLessThan(PAGE_SLICES + FEW_ROWS);
  }
  const { rowsRead, headers, text } = await cost("GET", "k?partNumber=7777");
  const start = 7776 * PART_BYTES;
  expect(headers.get("content-range")).toBe(`bytes ${start}-${start + PART_BYTES - 1}/${size}`);
  expect(text).toHaveLength(PART_BYTES);
  expect(rowsRead).toBeLessThan(2 * PAGE_SLICES + 2 * FEW_ROWS);
  const beyond = await send("HEAD", `/${bucket}/k?partNumber=10000`);
  expect(beyond.headers.get("x-amz-mp-parts-count")).toBe(String(PARTS));

  for (const [marker, maxParts] of [
    ["0", "1"],
    ["5000", "1"],
    ["5000", "1000"],
    ["9999", "1000"],
  ] as const) {
    const page = await cost("GET", "k?attributes", {
      "x-amz-object-attributes": "ObjectParts",
      "x-amz-part-number-marker": marker,
      "x-amz-max-parts": maxParts,
    });
    expect(page.text).toContain(`<PartsCount>${PARTS}</PartsCount>`);
    expect(page.rowsRead, `${maxParts} parts after ${marker}`).toBeLessThan(Number(maxParts) / 16 + 2 * FEW_ROWS);
  }

  const begun = await (await send("POST", `/${bucket}/target?uploads`)).text();
  const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun)?.[1] ?? "";
  const range = `bytes=${size / 2}-${size / 2 + 2 * PART_BYTES}`;
  const copied = await cost("PUT", `target?partNumber=1&uploadId=${uploadId}`, {
    "x-amz-copy-source": `/${bucket}/k`,
    "x-amz-copy-source-range": range,
  });
  expect(copied.rowsRead).toBeLessThan(3 * FEW_ROWS);
  await send("DELETE", `/${bucket}/target?uploadId=${uploadId}`);
}

describe("an upload of 10,000 parts", () => {
  it("is completed, read in ranges, copied, renamed and deleted at the cost of a small upload", async () => {
    const bucket = await freshBucket();
    const { uploadId, document } = await uploadOfManyParts(bucket);
    const completed = await send("POST", `/${bucket}/k?uploadId=${uploadId}`, { body: document });
    expect(await completed.text()).toMatch(/-10000&quot;<\/ETag>/);
    const completion = costOf(completed);
    expect(completion).toMatchObject({ roundTrips: 2, coordinatorCalls: 1, blobCalls: 1 });
    // The object, the stored completion, the upload, the pages of the manifest with two index entries for each but the
    // first, and the part rows.
    const pages = Math.ceil(PARTS / PAGE_SLICES);
    expect(completion.rowsWritten).toBe(3 + 1 + 3 * (pages - 1) + PARTS);

    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-length")).toBe(String(PARTS * PART_BYTES));
    const first = 7777 * PART_BYTES - 2;
    const ranged = await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${first}-${first + 3}` } });
    expect(ranged.status).toBe(206);
    expect(await ranged.text()).toBe("aaaa");
    expect(costOf(ranged)).toMatchObject({ roundTrips: 1, blobCalls: 2 });
    await expectCheapReads(bucket);
    const offset = { "x-amz-write-offset-bytes": String(PARTS * PART_BYTES) };
    const appended = await send("PUT", `/${bucket}/k`, { body: "x", headers: offset });
    expect(appended.status).toBe(400);
    expect(await appended.text()).toContain("<Code>TooManyParts</Code>");

    const copied = await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    expect(copied.status).toBe(200);
    expect(costOf(copied)).toMatchObject({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1, blobCalls: 0 });
    const renamed = await send("PUT", `/${bucket}/moved`, { headers: { "x-amz-rename-source": "k" } });
    expect(renamed.status).toBe(200);
    const renaming = costOf(renamed);
    expect(renaming).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
    expect(renaming.rowsWritten).toBeLessThanOrEqual(5);
    for (const key of ["moved", "copy"]) {
      const deleted = costOf(await send("DELETE", `/${bucket}/${key}`));
      expect(deleted.rowsWritten).toBeLessThanOrEqual(3);
    }
  });
});

describe("an object of 10,000 slices", () => {
  it("is read whole, with every slice in its place", async () => {
    const bucket = await freshBucket();
    const size = 40;
    const bytes = new Uint8Array(PARTS * size);
    for (let index = 0; index < bytes.length; index += 1) bytes[index] = (index * 31 + Math.floor(index / size)) % 251;
    await send("PUT", `/${bucket}/k`, { body: bytes });
    const row = await env.DB.prepare(
      "SELECT o.bucket_id, o.blob_id FROM objects o JOIN buckets b ON b.id = o.bucket_id WHERE b.name = ?",
    )
      .bind(bucket)
      .first<{ bucket_id: string; blob_id: string }>();
    const blobId = row?.blob_id ?? "";
    const parts = Array.from({ length: PARTS }, (_, index): Part => ({
      partNumber: index + 1,
      referenceId: blobId,
      slices: [{ blobId, offset: index * size, length: size }],
      isWholeBlob: false,
      size,
      etag: "0".repeat(32),
      checksumAlgorithm: undefined,
      checksum: undefined,
      modifiedAt: 0,
    }));
    const manifest = assemble(row?.bucket_id ?? "", "many-slices", parts);
    const database = new Database(env.DB, new Counts());
    await database.batch(insertManifest({ ...manifest, references: [blobId] }));
    await env.DB.prepare("UPDATE objects SET blob_id = NULL, manifest_id = ? WHERE bucket_id = ?")
      .bind(manifest.manifestId, row?.bucket_id)
      .run();

    const response = await send("GET", `/${bucket}/k`);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    const tail = await send("GET", `/${bucket}/k`, { headers: { range: `bytes=-${size + 5}` } });
    expect(new Uint8Array(await tail.arrayBuffer())).toEqual(bytes.subarray(-size - 5));
    expect(costOf(tail).blobCalls).toBe(2);
  });
});

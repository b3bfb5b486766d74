// Work that grows with a bucket runs in batches of bounded size. Each batch leaves a consistent state.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { proofIdOf } from "../../src/state/metadata/completion-proofs.ts";
import { insertManifest } from "../../src/state/metadata/manifests.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { createUpload, sendCompletion } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { bucketId, expectNothingLeftOver, storedStateOfId } from "../support/stored-state.ts";

/** Opens uploads in a bucket as clients do, with parts that exist only as rows. */
async function openUploads(bucket: string, uploads: number, partsEach: number): Promise<string> {
  const id = await bucketId(bucket);
  const numbers = (count: number): string => JSON.stringify(Array.from({ length: count }, (_, index) => index + 1));
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, storage_class)
       SELECT ?1, 'k' || value, ?1 || '-' || value, 0, 'o', 'STANDARD' FROM json_each(?2)`,
    ).bind(id, numbers(uploads)),
    env.DB.prepare(
      `INSERT INTO parts (upload_id, part_number, holding_id, size, etag, modified_at)
       SELECT ?1 || '-' || u.value, p.value, ?1 || '/' || u.value || '-' || p.value, 1, '', 0
       FROM json_each(?2) u CROSS JOIN json_each(?3) p`,
    ).bind(id, numbers(uploads), numbers(partsEach)),
  ]);
  return id;
}

async function rowsLeft(id: string): Promise<unknown> {
  return env.DB.prepare(
    `SELECT (SELECT count(*) FROM uploads WHERE bucket_id = ?1) AS uploads,
       (SELECT count(*) FROM parts WHERE upload_id >= ?1 || '-' AND upload_id < ?1 || '.') AS parts,
       (SELECT count(*) FROM garbage WHERE blob_id >= ?1 || '/' AND blob_id < ?1 || '0') AS garbage`,
  )
    .bind(id)
    .first();
}

/** D1 that records the number of part rows before and after each batch. */
function watched(id: string) {
  const deleted: number[] = [];
  const count = async (): Promise<number> => {
    const row = await env.DB.prepare(
      "SELECT count(*) AS parts FROM parts WHERE upload_id >= ?1 || '-' AND upload_id < ?1 || '.'",
    )
      .bind(id)
      .first<{ parts: number }>();
    return row?.parts ?? 0;
  };
  const DB = d1With(async (_sql, deliver) => {
    const before = await count();
    const results = await deliver();
    deleted.push(before - (await count()));
    return results;
  });
  return { DB, deleted };
}

async function clean(id: string): Promise<void> {
  await env.DB.prepare("DELETE FROM garbage WHERE blob_id >= ?1 || '/' AND blob_id < ?1 || '0'").bind(id).run();
}

describe("DeleteBucket with many open uploads", () => {
  it("aborts them in batches of bounded size, then deletes the bucket", async () => {
    const bucket = await freshBucket();
    const id = await openUploads(bucket, 250, 60);
    const { DB, deleted } = watched(id);
    const response = await send("DELETE", `/${bucket}`, {}, { DB });
    expect(response.status).toBe(204);
    expect(Math.max(...deleted)).toBeLessThanOrEqual(5000);
    expect(deleted.reduce((sum, parts) => sum + parts, 0)).toBe(250 * 60);
    expect(await rowsLeft(id)).toEqual({ uploads: 0, parts: 0, garbage: 250 * 60 });
    expect((await send("HEAD", `/${bucket}`)).status).toBe(404);
    await clean(id);
  });

  it("aborts an upload with the maximum number of parts in a batch of its own", async () => {
    const bucket = await freshBucket();
    const id = await openUploads(bucket, 2, 10_000);
    const { DB, deleted } = watched(id);
    expect((await send("DELETE", `/${bucket}`, {}, { DB })).status).toBe(204);
    expect(deleted.filter((parts) => parts > 0)).toEqual([10_000, 10_000]);
    await clean(id);
  });

  it("aborts none when the bucket is not empty", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const id = await openUploads(bucket, 150, 1);
    await expectS3Error(await send("DELETE", `/${bucket}`), {
      status: 409,
      code: "BucketNotEmpty",
      fields: { BucketName: bucket },
    });
    expect(await rowsLeft(id)).toEqual({ uploads: 150, parts: 150, garbage: 0 });
    await env.DB.batch(
      ["DELETE FROM uploads WHERE bucket_id = ?1", "DELETE FROM parts WHERE upload_id LIKE ?1 || '-%'"].map((sql) =>
        env.DB.prepare(sql).bind(id),
      ),
    );
  });

  it("also aborts uploads that begin meanwhile, and leaves nothing behind", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    let isBegun = false;
    const DB = d1With(async (sql, deliver) => {
      if (!isBegun && sql.some((text) => text.includes("empty_bucket_guard"))) {
        isBegun = true;
        await createUpload(bucket, "late");
      }
      return deliver();
    });
    expect((await send("DELETE", `/${bucket}`, {}, { DB })).status).toBe(204);
    expect(await rowsLeft(id)).toEqual({ uploads: 0, parts: 0, garbage: 0 });
    expectNothingLeftOver(await storedStateOfId(id));
  });

  it("does not touch the uploads of a bucket recreated meanwhile", async () => {
    const bucket = await freshBucket();
    const old = await openUploads(bucket, 101, 1);
    let uploadId = "";
    const DB = d1With(async (sql, deliver) => {
      const results = await deliver();
      if (uploadId === "" && sql.some((text) => text.includes("empty_bucket_guard"))) {
        expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
        expect((await send("PUT", `/${bucket}`)).status).toBe(200);
        uploadId = await createUpload(bucket, "new");
      }
      return results;
    });
    const response = await send("DELETE", `/${bucket}`, {}, { DB });
    expect([204, 404]).toContain(response.status);
    expect((await send("GET", `/${bucket}/new?uploadId=${uploadId}`)).status).toBe(200);
    expect(await rowsLeft(old)).toEqual({ uploads: 0, parts: 0, garbage: 101 });
    await clean(old);
    await expectSoundReferences(bucket);
  });

  it("costs no more than before when there are few uploads", async () => {
    const bucket = await freshBucket();
    await createUpload(bucket, "k");
    const response = await send("DELETE", `/${bucket}`);
    expect(response.status).toBe(204);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 2, blobCalls: 0, coordinatorCalls: 0 });
  });
});

describe("UploadPartCopy of a range with very many slices", () => {
  /** An object `source` whose bytes are in one blob; each byte is a slice. */
  async function sourceInPieces(bucket: string, bytes: Uint8Array): Promise<void> {
    expect((await send("PUT", `/${bucket}/source`, { body: bytes }, IN_STORE)).status).toBe(200);
    const id = await bucketId(bucket);
    const row = await env.DB.prepare("SELECT blob_id FROM objects WHERE bucket_id = ?")
      .bind(id)
      .first<{ blob_id: string }>();
    const blobId = row?.blob_id ?? "";
    const manifestId = `${id}/in-pieces`;
    const slices = Array.from(bytes, (_, start) => ({ start, blobId, offset: start, length: 1 }));
    const parts = [{ partNumber: 1, start: 0, size: bytes.length, checksum: undefined }];
    const references = [blobId, proofIdOf(manifestId)];
    await env.BLOBS.put(proofIdOf(manifestId), "as if completed");
    await new Database(env.DB, new Counts()).batch(insertManifest({ manifestId, slices, parts, references }));
    await env.DB.prepare("UPDATE objects SET blob_id = NULL, manifest_id = ? WHERE bucket_id = ?")
      .bind(manifestId, id)
      .run();
  }

  it.each([
    [2000, 0],
    [2001, 1],
  ])("shares the blobs of %i slices or writes the bytes to %i new blob", async (length, blobs) => {
    const bucket = await freshBucket();
    const bytes = noise(length);
    await sourceInPieces(bucket, bytes);
    const before = Object.keys((await storedStateOfId(await bucketId(bucket))).blobs).length;
    const uploadId = await createUpload(bucket, "copy");
    const copied = await send("PUT", `/${bucket}/copy?partNumber=1&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": `/${bucket}/source` },
    });
    const text = await copied.text();
    expect(copied.status, text).toBe(200);
    expect(Object.keys((await storedStateOfId(await bucketId(bucket))).blobs)).toHaveLength(before + blobs);
    const etag = textOf(readXml(text), "ETag") ?? "";
    expect((await sendCompletion(bucket, "copy", uploadId, [{ partNumber: 1, etag }])).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/copy`), bytes);
    await expectSoundReferences(bucket);
  });
});

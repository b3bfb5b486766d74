// The collector against concurrent requests that have read what it deletes. The request fails or keeps its bytes; no
// row ever exists without its bytes.
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { BINDINGS } from "../support/databases.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { INLINE, IN_STORE } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { createUpload, joined, largePart, uploadInParts } from "../support/multipart.ts";

const AFTER_WINDOW = 48 * 3_600_000;
const WAITING = 5000;

/** D1 that delays its first response until something else has happened. */
function slowAfterLookup(happens: () => Promise<unknown>): RequestScope {
  let isFirst = true;
  return {
    DB: d1With(async (_sql, send_) => {
      const results = await send_();
      if (isFirst) {
        isFirst = false;
        await happens();
      }
      return results;
    }),
  };
}

async function deleteAndCollect(bucket: string, key: string): Promise<void> {
  expect((await send("DELETE", `/${bucket}/${key}`)).status).toBe(204);
  await runPass(collectGarbage, Date.now() + AFTER_WINDOW);
}

describe.each(["in one blob", "in a small blob", "of parts"])("an object %s that is deleted and collected", (kind) => {
  async function bucketWithSource(): Promise<string> {
    const bucket = await freshBucket();
    if (kind === "in one blob") await putAll(bucket, { source: "bytes" }, IN_STORE);
    else if (kind === "in a small blob") await putAll(bucket, { source: "bytes" }, INLINE);
    else await uploadInParts(bucket, "source", [largePart(1), "end"]);
    return bucket;
  }

  it("during a copy that has read it does not exist for the copy", async () => {
    const bucket = await bucketWithSource();
    const headers = { "x-amz-copy-source": `/${bucket}/source` };
    const world = slowAfterLookup(() => deleteAndCollect(bucket, "source"));
    await expectS3Error(await send("PUT", `/${bucket}/copy`, { headers }, world), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "source" },
    });
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
    await expectSoundReferences(bucket);
  });

  it("during a part copy that has read it does not exist for the part copy", async () => {
    const bucket = await bucketWithSource();
    const uploadId = await createUpload(bucket, "copy");
    const target = `/${bucket}/copy?partNumber=1&uploadId=${uploadId}`;
    const headers = { "x-amz-copy-source": `/${bucket}/source` };
    const world = slowAfterLookup(() => deleteAndCollect(bucket, "source"));
    const response = await send("PUT", target, { headers }, world);
    expect(response.status).toBe(404);
    await response.text();
    expect((await storedStateOf(bucket)).blobs).toEqual({});
    await expectSoundReferences(bucket);
  });

  it("keeps its bytes for an earlier copy, although a pass dies midway", async () => {
    const bucket = await bucketWithSource();
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/source` } });
    await send("DELETE", `/${bucket}/source`);
    await runPass(collectGarbage, Date.now() + AFTER_WINDOW);
    const expected = kind !== "of parts" ? "bytes" : joined([largePart(1), new TextEncoder().encode("end")]);
    await expectBytes(await send("GET", `/${bucket}/copy`), expected);
    await send("DELETE", `/${bucket}/copy`);
    const DB = d1With(async (sql, send_) => {
      if (sql.some((text) => text.includes("DELETE FROM garbage"))) throw connectionLost();
      return send_();
    });
    await expect(runPass(collectGarbage, Date.now() + AFTER_WINDOW, { DB })).rejects.toThrow("Network connection lost");
    expect((await storedStateOf(bucket)).garbage).toHaveLength(1);
    await runPass(collectGarbage, Date.now() + AFTER_WINDOW);
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
    await expectSoundReferences(bucket);
  });
});

describe("a backlog", () => {
  // Sorts before and after all other garbage.
  const [FIRST, LAST] = ["!waiting", "~waiting"];

  async function drop(bucketId: string, count: number, droppedAt: number): Promise<void> {
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO garbage SELECT ?2 || '/' || printf('%08d', i), ?3 FROM n`,
    )
      .bind(count, bucketId, droppedAt)
      .run();
  }

  async function left(bucketId: string): Promise<number | null> {
    const of = env.DB.prepare("SELECT count(*) AS count FROM garbage WHERE blob_id LIKE ?1 || '/%'").bind(bucketId);
    return of.first<number>("count");
  }

  afterEach(async () => {
    await env.DB.prepare("DELETE FROM garbage WHERE blob_id LIKE ?1 || '/%' OR blob_id LIKE ?2 || '/%'")
      .bind(FIRST, LAST)
      .run();
  });

  it("that is not due costs each step one page, and delays nothing that is due", async () => {
    const now = Date.now();
    await drop(FIRST, WAITING, now);
    await drop(LAST, 1200, now - AFTER_WINDOW);
    const context = jobContext(now);
    let read = 0;
    let steps = 0;
    for (let cursor: string | null = null; cursor !== null || steps === 0; steps += 1) {
      const counts = new Counts();
      const { database, blobs } = jobContext(now, {}, counts);
      ({ cursor } = await collectGarbage.step({ ...context, database, blobs }, cursor));
      read = Math.max(read, counts.snapshot().d1RowsRead);
    }
    expect(read).toBeLessThan(12_000);
    expect(steps).toBeGreaterThanOrEqual(5);
    expect([await left(FIRST), await left(LAST)]).toEqual([WAITING, 0]);
  });

  it("of manifests is released in bounded steps, however large the manifests are", async () => {
    const due = Date.now() - AFTER_WINDOW;
    await drop(LAST, 4, due);
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
       INSERT INTO manifests (manifest_id, page, slices, parts, holdings) SELECT g.blob_id, 0, '[]', '[]',
         (SELECT json_group_array(?1 || '/' || substr(g.blob_id, -1) || printf('%070d', i)) FROM n)
       FROM garbage g WHERE g.blob_id LIKE ?1 || '/%' AND g.blob_id NOT LIKE '%3'`,
    )
      .bind(LAST)
      .run();
    const counts = new Counts();
    let [cursor, written, most]: [string | null, number, number] = [`{"after":"${LAST}","isToBeRepeated":false}`, 0, 0];
    for (let step = 0; step < 3; step += 1) {
      ({ cursor } = await collectGarbage.step(jobContext(Date.now(), {}, counts), cursor));
      most = Math.max(most, counts.snapshot().d1RowsWritten - written);
      written = counts.snapshot().d1RowsWritten;
    }
    expect(most).toBeLessThan(9000);
    expect(await left(LAST)).toBeGreaterThan(23_000);
    const manifests = env.DB.prepare("SELECT count(*) AS count FROM manifests WHERE manifest_id LIKE ? || '/%'");
    expect(await manifests.bind(LAST).first("count")).toBe(0);
  });

  it("that is not due is counted once by the pass that passes it, however its pages are cut", async () => {
    const now = Date.now();
    const young = async (): Promise<number> => {
      const before = now - jobContext(now).settings.recoveryWindowMs;
      const counts = await Promise.all(
        BINDINGS.map(({ d1 }) =>
          d1.prepare("SELECT count(*) AS count FROM garbage WHERE dropped_at >= ?").bind(before).first<number>("count"),
        ),
      );
      return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    };
    // Young and due entries in turn, more of each than a page holds; one of the due ones is a manifest.
    await drop(FIRST, WAITING, now);
    await env.DB.prepare("UPDATE garbage SET dropped_at = ? WHERE blob_id LIKE ? || '/%' AND substr(blob_id, -1) < '5'")
      .bind(now - AFTER_WINDOW, FIRST)
      .run();
    await env.DB.prepare(
      "INSERT INTO manifests (manifest_id, page, slices, parts, holdings) VALUES (?, 0, '[]', '[]', '[]')",
    )
      .bind(`${FIRST}/00001000`)
      .run();
    const dry = await runPass(collectGarbage, now, { GARBAGE_COLLECTION: "dry-run" });
    expect(dry.report["waiting"]).toBe(await young());
    expect(dry.report["due"]).toBeGreaterThanOrEqual(WAITING / 2);
    const { report } = await runPass(collectGarbage, now);
    expect([report["waiting"], await left(FIRST)]).toEqual([await young(), WAITING / 2]);
  });

  it("is only counted, as a whole, when the collector's setting is to delete nothing", async () => {
    const now = Date.now();
    await drop(LAST, WAITING, now - AFTER_WINDOW);
    const { report } = await runPass(collectGarbage, now, { GARBAGE_COLLECTION: "dry-run" });
    expect(report["due"]).toBeGreaterThanOrEqual(WAITING);
    expect(await left(LAST)).toBe(WAITING);
  });

  it("is restarted when a pass of an earlier release is under way", async () => {
    await drop(LAST, 3, Date.now() - AFTER_WINDOW);
    await collectGarbage.step(jobContext(Date.now()), "more");
    expect(await left(LAST)).toBe(0);
  });
});

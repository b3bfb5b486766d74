// Buckets that are deleted and recreated while in use: no row exists without its bucket, and the new bucket shows
// nothing of the old one.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send, type RequestScope } from "../support/client.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, r2With } from "../support/faults.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import {
  bucketId,
  expectNothingLeftOver,
  expectNothingMissing,
  storedStateOf,
  storedStateOfId,
} from "../support/stored-state.ts";
import { readXml, textOf } from "../support/read-xml.ts";

/** The bucket ids of rows whose bucket is missing. */
async function orphanedUploadRows(): Promise<string[]> {
  const { results } = await env.DB.prepare(
    `SELECT DISTINCT bucket_id FROM (SELECT bucket_id FROM objects UNION ALL SELECT bucket_id FROM versions
       UNION ALL SELECT bucket_id FROM uploads)
     WHERE bucket_id NOT IN (SELECT id FROM buckets) ORDER BY 1`,
  ).all<{ bucket_id: string }>();
  return results.map((row) => row.bucket_id);
}

/** Runs an action once, between the storing of a blob and its commit. */
function beforeCommit(action: () => Promise<void>): RequestScope {
  let isDone = false;
  return {
    ...IN_STORE,
    BLOBS: r2With({
      async put(key, body, options) {
        const stored = await env.BLOBS.put(key, body, options);
        if (!isDone) await action();
        isDone = true;
        return stored;
      },
    }),
  };
}

async function expectStatus(status: number, method: string, target: string): Promise<void> {
  const response = await send(method, target);
  await response.arrayBuffer();
  expect(response.status, `${method} ${target}`).toBe(status);
}

describe("a PUT whose bucket is deleted before it commits", () => {
  it("returns NoSuchBucket and leaves nothing behind", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    const scope = beforeCommit(() => expectStatus(204, "DELETE", `/${bucket}`));
    await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x" }, scope), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: bucket },
    });
    expect(await storedStateOfId(id)).toEqual({ objects: {}, blobs: {}, garbage: [] });
  });

  it("returns NoSuchBucket also when the bucket is recreated, and adds nothing to the new bucket", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    const scope = beforeCommit(async () => {
      await expectStatus(204, "DELETE", `/${bucket}`);
      await expectStatus(200, "PUT", `/${bucket}`);
    });
    await expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x" }, scope), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: bucket },
    });
    expect(await bucketId(bucket)).not.toBe(id);
    expect(await storedStateOf(bucket)).toEqual({ objects: {}, blobs: {}, garbage: [] });
    expect(await storedStateOfId(id)).toEqual({ objects: {}, blobs: {}, garbage: [] });
    await expectStatus(404, "GET", `/${bucket}/k`);
  });

  it("is also rejected when it overwrites an object", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    await putAll(bucket, { k: "old" });
    const scope = beforeCommit(async () => {
      await expectStatus(204, "DELETE", `/${bucket}/k`);
      await expectStatus(204, "DELETE", `/${bucket}`);
      await expectStatus(200, "PUT", `/${bucket}`);
      await putAll(bucket, { k: "new" });
    });
    const response = await send("PUT", `/${bucket}/k`, { body: "late" }, scope);
    expect(response.status).toBe(404);
    await response.arrayBuffer();
    await expectBytes(await send("GET", `/${bucket}/k`), "new");
    expectNothingLeftOver(await storedStateOf(bucket));
    expectNothingLeftOver(await storedStateOfId(id));
  });
});

describe("a DELETE whose bucket is recreated before it commits", () => {
  it("does not delete the new bucket's object", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "old" });
    let isFirst = true;
    const DB = d1With(async (_sql, send_) => {
      const seen = await send_();
      if (isFirst) {
        isFirst = false;
        await expectStatus(204, "DELETE", `/${bucket}/k`);
        await expectStatus(204, "DELETE", `/${bucket}`);
        await expectStatus(200, "PUT", `/${bucket}`);
        await putAll(bucket, { k: "new" });
      }
      return seen;
    });
    const response = await send("DELETE", `/${bucket}/k`, {}, { DB });
    expect([204, 404]).toContain(response.status);
    await response.arrayBuffer();
    await expectBytes(await send("GET", `/${bucket}/k`), "new");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("a DeleteBucket", () => {
  it("returns BucketNotEmpty for an object that was put after its first check", async () => {
    const bucket = await freshBucket();
    let isFirst = true;
    const DB = d1With(async (_sql, send_) => {
      const seen = await send_();
      if (isFirst) {
        isFirst = false;
        await putAll(bucket, { k: "x" });
      }
      return seen;
    });
    await expectS3Error(await send("DELETE", `/${bucket}`, {}, { DB }), {
      status: 409,
      code: "BucketNotEmpty",
      fields: { BucketName: bucket },
    });
    await expectBytes(await send("GET", `/${bucket}/k`), "x");
  });

  it("does not delete a bucket that was recreated meanwhile", async () => {
    const bucket = await freshBucket();
    let isFirst = true;
    const DB = d1With(async (_sql, send_) => {
      const seen = await send_();
      if (isFirst) {
        isFirst = false;
        await expectStatus(204, "DELETE", `/${bucket}`);
        await expectStatus(200, "PUT", `/${bucket}`);
      }
      return seen;
    });
    const response = await send("DELETE", `/${bucket}`, {}, { DB });
    expect([204, 404]).toContain(response.status);
    await response.arrayBuffer();
    await expectStatus(200, "HEAD", `/${bucket}`);
  });

  it("aborts the open uploads, also in a recreated bucket", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    const created = await send("POST", `/${bucket}/k?uploads`);
    const uploadId = textOf(readXml(await created.text()), "UploadId") ?? "";
    const part = `/${bucket}/k?uploadId=${uploadId}&partNumber=1`;
    expect((await send("PUT", part, { body: "x" })).status).toBe(200);
    await expectStatus(204, "DELETE", `/${bucket}`);
    expectNothingLeftOver(await storedStateOfId(id));
    await expectStatus(200, "PUT", `/${bucket}`);
    const response = await send("PUT", part, { body: "x" });
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("<Code>NoSuchUpload</Code>");
    expectNothingLeftOver(await storedStateOf(bucket));
  });
});

describe("a recreated bucket", () => {
  it("shows no remaining rows of the old bucket", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "old" });
    const old = await bucketId(bucket);
    // Simulates rows of the old bucket that still exist.
    await env.DB.prepare("DELETE FROM buckets WHERE name = ?").bind(bucket).run();
    try {
      await expectStatus(404, "GET", `/${bucket}/k`);
      await expectStatus(200, "PUT", `/${bucket}`);
      await expectStatus(404, "GET", `/${bucket}/k`);
      await expectStatus(404, "HEAD", `/${bucket}/k`);
      for (const query of ["", "?list-type=2", "?delimiter=/", "?versions"]) {
        expect(await (await send("GET", `/${bucket}${query}`)).text()).not.toContain("<Key>");
      }
      expect((await send("PUT", `/${bucket}/k`, { body: "new", headers: { "if-none-match": "*" } })).status).toBe(200);
      await expectStatus(204, "DELETE", `/${bucket}/k`);
      await expectStatus(204, "DELETE", `/${bucket}`);
      expect(Object.keys((await storedStateOfId(old)).objects)).toEqual(["k"]);
    } finally {
      await env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?").bind(old).run();
    }
  });
});

describe("concurrent PUTs, deletions of the bucket and its recreation", () => {
  it("never leave a row without its bucket, or an acknowledged object without its bytes", async () => {
    const orphanedUploadsBefore = await orphanedUploadRows();
    const bucket = freshBucketName();
    const ids = new Set<string>();
    const outcomes = { put: 0, refused: 0, deleted: 0, created: 0 };
    const note = async (): Promise<void> => {
      const row = await env.DB.prepare("SELECT id FROM buckets WHERE name = ?").bind(bucket).first<{ id: string }>();
      if (row !== null) ids.add(row.id);
    };
    const put = async (): Promise<void> => {
      const key = crypto.randomUUID();
      const { status } = await send("PUT", `/${bucket}/${key}`, { body: key });
      expect([200, 404]).toContain(status);
      if (status === 404) outcomes.refused += 1;
      else {
        outcomes.put += 1;
        const { status: gone } = await send("DELETE", `/${bucket}/${key}`);
        expect([204, 404]).toContain(gone);
      }
    };
    const remove = async (): Promise<void> => {
      const { status } = await send("DELETE", `/${bucket}`);
      expect([204, 404, 409]).toContain(status);
      if (status === 204) outcomes.deleted += 1;
    };
    const create = async (): Promise<void> => {
      const { status } = await send("PUT", `/${bucket}`);
      expect([200, 409]).toContain(status);
      if (status === 200) outcomes.created += 1;
      await note();
    };
    const later = async (milliseconds: number, action: () => Promise<void>): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await action();
    };
    // Which outcomes occur in a round depends on the machine.
    const isMissing = (): boolean => ids.size < 2 || Object.values(outcomes).includes(0);
    for (let round = 0; round < 15 || (isMissing() && round < 150); round += 1) {
      await create();
      await Promise.all([
        ...Array.from({ length: 12 }, (_, index) => later(index * 4, put)),
        ...Array.from({ length: 6 }, (_, index) => later(round + index * 9, remove)),
        ...Array.from({ length: 4 }, (_, index) => later(10 + index * 11, create)),
      ]);
      expect(await orphanedUploadRows()).toEqual(orphanedUploadsBefore);
    }
    // The race proves something only when every outcome occurred.
    for (const [name, count] of Object.entries(outcomes)) expect(count, name).toBeGreaterThan(0);
    expect(ids.size).toBeGreaterThan(1);
    const row = await env.DB.prepare("SELECT id FROM buckets WHERE name = ?").bind(bucket).first<{ id: string }>();
    for (const id of ids) {
      const storedState = await storedStateOfId(id);
      expectNothingMissing(storedState);
      expectNothingLeftOver(storedState);
      if (id !== row?.id) expect(storedState.objects).toEqual({});
    }
  });
});

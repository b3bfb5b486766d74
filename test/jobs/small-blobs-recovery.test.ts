// Recovery of small blobs: a rebuild finds those in packs, a backup contains all of them.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { backup } from "../../src/jobs/backup.ts";
import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { restore } from "../../src/jobs/restore.ts";
import { send, type RequestScope } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { INLINE, IN_STORE, smallBlobsOf } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { setLegalHold } from "../support/object-lock.ts";
import { loseDatabase, rebuilt, REBUILT, referencesIn } from "../support/rebuilding.ts";
import { bucketId } from "../support/stored-state.ts";
import { versionedBucket } from "../support/versioning.ts";

const DAY_MS = 86_400_000;
const NOON = Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const HEADERS = { "content-type": "text/css", "x-amz-meta-colour": "blue", "x-amz-tagging": "a=1" };

beforeEach(async () => {
  await loseDatabase();
  await runPass(packSmallBlobs, NOON);
});

async function put(bucket: string, key: string, body: string): Promise<void> {
  expect((await send("PUT", `/${bucket}/${key}`, { body, headers: HEADERS }, INLINE)).status).toBe(200);
}

async function shown(bucket: string, key: string, scope: RequestScope = {}): Promise<object> {
  const response = await send("GET", `/${bucket}/${key}`, {}, scope);
  const { headers, status } = response;
  const names = ["etag", "content-type", "content-length", "x-amz-meta-colour", "x-amz-tagging-count"];
  return { status, body: await response.text(), headers: names.map((name) => headers.get(name)) };
}

describe("a rebuild", () => {
  it("restores packed bodies with their metadata, and does not find those that were not packed", async () => {
    const bucket = await freshBucket();
    await put(bucket, "a", "alpha");
    await put(bucket, "b", "old");
    await put(bucket, "b", "new");
    await put(bucket, "empty", "");
    await send("PUT", `/${bucket}/blob`, { body: "in a blob of its own", headers: HEADERS }, IN_STORE);
    await runPass(packSmallBlobs, NOON);
    await put(bucket, "late", "late");
    const { world, pass } = await rebuilt(bucket);
    expect(pass.report).toMatchObject({ blobs: 2, packed: 3, strange: 0, objects: 4 });
    for (const key of ["a", "b", "empty", "blob"]) {
      expect(await shown(bucket, key, world), key).toEqual(await shown(bucket, key));
    }
    expect(await shown(bucket, "late", world)).toMatchObject({ status: 404 });
    const { findings, orphans } = await referencesIn(world);
    expect({ findings, orphans }).toEqual({ findings: [], orphans: [] });
  });

  it("shows the newest of a key, wherever its bytes are", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/grown`, { body: "a blob of its own" }, IN_STORE);
    await put(bucket, "grown", "small now");
    await put(bucket, "shrunk", "small");
    await runPass(packSmallBlobs, NOON);
    await send("PUT", `/${bucket}/shrunk`, { body: "a blob of its own" }, IN_STORE);
    const { world } = await rebuilt(bucket);
    expect(await shown(bucket, "grown", world)).toMatchObject({ body: "small now" });
    expect(await shown(bucket, "shrunk", world)).toMatchObject({ body: "a blob of its own" });
    expect((await referencesIn(world)).findings).toEqual([]);
  });

  it("restores the lock of a packed body in a bucket that got Object Lock later", async () => {
    const bucket = await versionedBucket();
    await put(bucket, "k", "small");
    await runPass(packSmallBlobs, NOON);
    const body = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    expect((await send("PUT", `/${bucket}?object-lock`, { body })).status).toBe(200);
    await setLegalHold(bucket, "k", "ON");
    const { world } = await rebuilt(bucket);
    const head = await send("HEAD", `/${bucket}/k`, {}, world);
    expect(head.headers.get("x-amz-object-lock-legal-hold")).toBe("ON");
    expect(await shown(bucket, "k", world)).toMatchObject({ status: 200, body: "small" });
  });

  it("restores a multipart object whose part was copied from a small body", async () => {
    const bucket = await freshBucket();
    await put(bucket, "source", "copied part");
    const created = await (await send("POST", `/${bucket}/whole?uploads`)).text();
    const uploadId = /<UploadId>(\w+)</.exec(created)?.[1] ?? "";
    const copied = await send("PUT", `/${bucket}/whole?partNumber=1&uploadId=${uploadId}`, {
      headers: { "x-amz-copy-source": `${bucket}/source` },
    });
    const etag = /<ETag>([^<]+)</.exec(await copied.text())?.[1] ?? "";
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
    expect((await send("POST", `/${bucket}/whole?uploadId=${uploadId}`, { body })).status).toBe(200);
    await runPass(packSmallBlobs, NOON);
    const { world } = await rebuilt(bucket);
    for (const key of ["source", "whole"]) {
      expect(await shown(bucket, key, world)).toMatchObject({ status: 200, body: "copied part" });
    }
    expect((await referencesIn(world)).findings).toEqual([]);
  });
});

describe("a backup", () => {
  afterEach(async () => {
    const { objects } = await env.BLOBS.list({ prefix: "cairn/backups/" });
    await env.BLOBS.delete(objects.map(({ key }) => key));
  });

  it("contains bodies that the database keeps, and where the packed ones are", async () => {
    const bucket = await freshBucket();
    await put(bucket, "packed", "packed");
    await put(bucket, "copied", "shared");
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `${bucket}/copied` } });
    await runPass(packSmallBlobs, NOON);
    await put(bucket, "inline", "inline");
    await runPass(backup, Date.now());
    const scope = { DB: REBUILT };
    await runPass(restore, Date.now(), { ...scope, RESTORE: "latest" });
    for (const key of ["packed", "copied", "copy", "inline"]) {
      expect(await shown(bucket, key, scope), key).toEqual(await shown(bucket, key));
    }
    const prefix = `${await bucketId(bucket)}/`;
    const select = `SELECT * FROM packs WHERE pack_id > ? AND pack_id < ?`;
    const packsIn = async (database: D1Database): Promise<unknown[]> =>
      (await database.prepare(select).bind(prefix, `${prefix}~`).all()).results;
    expect(await packsIn(REBUILT)).toEqual(await packsIn(env.DB));
    const rows = await REBUILT.prepare("SELECT * FROM small_blobs WHERE blob_id > ? AND blob_id < ? ORDER BY blob_id")
      .bind(prefix, `${prefix}~`)
      .all();
    expect(rows.results).toEqual(await smallBlobsOf(bucket));
  });
});

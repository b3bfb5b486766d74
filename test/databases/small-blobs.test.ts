// Small blobs with several databases: each is in the database of the bucket that references it.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { packSmallBlobs } from "../../src/jobs/pack-small-blobs.ts";
import { databaseBindings } from "../../src/state/d1/databases.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { INLINE, smallBlobsOf } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";

const DAY_MS = 86_400_000;
const NOON = Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;

async function bucketIn(database: string): Promise<string> {
  const name = freshBucketName();
  const created = await send("PUT", `/${name}`, { headers: { "x-cairn-database": database } });
  expect(created.status).toBe(200);
  return name;
}

async function databasesWith(bucket: string): Promise<string[]> {
  const prefix = `${await bucketId(bucket)}/`;
  const found: string[] = [];
  for (const { name, d1 } of databaseBindings(env)) {
    const row = await d1
      .prepare("SELECT count(*) AS n FROM small_blobs WHERE blob_id > ? AND blob_id < ?")
      .bind(prefix, `${prefix}~`)
      .first<{ n: number }>();
    if ((row?.n ?? 0) > 0) found.push(name);
  }
  return found;
}

async function bodyOf(target: string): Promise<string> {
  return (await send("GET", target, { headers: { "cache-control": "no-store" } }, INLINE)).text();
}

describe.each(["DB", "META_1", "META_2"])("a bucket in %s", (database) => {
  it("has its small blobs there, inline and packed, until they are collected", async () => {
    const bucket = await bucketIn(database);
    for (const key of ["a", "b"]) {
      expect((await send("PUT", `/${bucket}/${key}`, { body: `body of ${key}` }, INLINE)).status).toBe(200);
    }
    expect(await databasesWith(bucket)).toEqual([database]);
    expect(await bodyOf(`/${bucket}/a`)).toBe("body of a");
    await runPass(packSmallBlobs, NOON);
    expect((await smallBlobsOf(bucket)).every(({ pack_id }) => pack_id !== null)).toBe(true);
    expect(await bodyOf(`/${bucket}/a`)).toBe("body of a");
    await expectSoundReferences(bucket);
    await send("DELETE", `/${bucket}/a`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    expect(await smallBlobsOf(bucket)).toHaveLength(1);
    expect(await bodyOf(`/${bucket}/b`)).toBe("body of b");
    await expectSoundReferences(bucket);
  });

  it("gives a copy in another database bytes of its own", async () => {
    const [bucket, other] = [await bucketIn(database), await bucketIn(database === "META_1" ? "DB" : "META_1")];
    await send("PUT", `/${bucket}/k`, { body: "copied" }, INLINE);
    const headers = { "x-amz-copy-source": `${bucket}/k` };
    expect((await send("PUT", `/${other}/copy`, { headers }, INLINE)).status).toBe(200);
    await send("DELETE", `/${bucket}/k`);
    await runPass(collectGarbage, NOON + 2 * DAY_MS);
    expect(await bodyOf(`/${other}/copy`)).toBe("copied");
    await expectSoundReferences(bucket, other);
  });
});

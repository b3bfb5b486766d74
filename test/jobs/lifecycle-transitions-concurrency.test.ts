// Transitions that run concurrently with each other or with requests that read the old location.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { expectSoundReferences, referencesOf } from "../support/check-references.ts";
import { send } from "../support/client.ts";
import { d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { expiresAfter, clearRules, midnight, prefixed, putLifecycle, rule } from "../support/lifecycle.ts";
import { createUpload } from "../support/multipart.ts";
import { bodyOf } from "../support/versioning.ts";
import { ANY_SIZE, blobOf, classOf, movesAfter } from "./lifecycle-transitions-fixture.ts";

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("two concurrent passes", () => {
  it("have the effect of one", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, "0"));
    await putAll(
      bucket,
      Object.fromEntries(
        keys.flatMap((key) => [
          [`gone/${key}`, key],
          [`moved/${key}`, key],
        ]),
      ),
    );
    await putLifecycle(
      bucket,
      rule(expiresAfter(1), prefixed("gone/")),
      rule(movesAfter(1, "GLACIER_IR"), {
        filter: "<Filter><And><Prefix>moved/</Prefix><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan></And></Filter>",
      }),
    );
    const passes = await Promise.all([1, 2, 3].map(() => runPass(lifecycle, midnight(2))));
    const sum = (name: string): number => passes.reduce((total, { report }) => total + (report[name] ?? 0), 0);
    expect([sum("moved"), sum("failed")]).toEqual([20, 0]);
    const text = await (await send("GET", `/${bucket}?list-type=2`)).text();
    expect(text.match(/<StorageClass>GLACIER_IR</g)).toHaveLength(20);
    expect(text).toContain("<KeyCount>20</KeyCount>");
    for (const key of keys.slice(0, 5)) expect(await bodyOf(bucket, `moved/${key}`)).toBe(key);
    // Late copies are orphans, which the orphan scan deletes.
    const { findings } = await referencesOf(bucket);
    expect(findings).toEqual([]);
  });
});

describe("a request that has read the old location", () => {
  /** D1 that executes a bucket's transitions after the first look-up, before its results are returned. */
  function movedAfterLookup(marker: string): D1Database {
    let isMoved = false;
    return d1With(async (sql, sendOn) => {
      const results = await sendOn();
      if (!isMoved && sql.some((text) => text.includes(marker))) {
        isMoved = true;
        await runPass(lifecycle, midnight(31));
      }
      return results;
    });
  }

  it("copies the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-copy-source": `/${bucket}/k` };
    const response = await send("PUT", `/${bucket}/copy`, { headers }, { DB: movedAfterLookup("objects o") });
    expect(response.status).toBe(200);
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    expect(await blobOf(bucket, "copy")).toBe(await blobOf(bucket, "k"));
    await expectSoundReferences(bucket);
  });

  it("renames the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-rename-source": `/${bucket}/k` };
    const response = await send(
      "PUT",
      `/${bucket}/new?renameObject`,
      { headers },
      { DB: movedAfterLookup("objects o") },
    );
    expect(response.status).toBe(200);
    expect([await bodyOf(bucket, "new"), await classOf(bucket, "new")]).toEqual(["bytes", "STANDARD_IA"]);
    await expectSoundReferences(bucket);
  });

  it("copies a part from the current location at its commit", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "bytes" });
    const uploadId = await createUpload(bucket, "up");
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    const headers = { "x-amz-copy-source": `/${bucket}/k` };
    const target = `/${bucket}/up?partNumber=1&uploadId=${uploadId}`;
    expect((await send("PUT", target, { headers }, { DB: movedAfterLookup("uploads u") })).status).toBe(200);
    expect(await classOf(bucket, "k")).toBe("STANDARD_IA");
    await expectSoundReferences(bucket);
  });

  it("stores its object in its own class when it writes during a transition", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "1" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let isFirst = true;
    const BLOBS = r2With({
      put: async (key, body, options) => {
        if (isFirst) await putAll(bucket, { a: "2" });
        isFirst = false;
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await runPass(lifecycle, midnight(31), { BLOBS })).report).toMatchObject({ changedMeanwhile: 1, moved: 1 });
    expect([await bodyOf(bucket, "a"), await classOf(bucket, "a")]).toEqual(["2", "STANDARD"]);
  });
});

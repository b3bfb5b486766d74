// Transitions that are interrupted, or whose blob store or database fails.
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";

import { lifecycle } from "../../src/jobs/lifecycle.ts";
import { lifecycleFromText } from "../../src/protocol/lifecycle/lifecycle.ts";
import { lookUpBucket } from "../../src/state/metadata/buckets.ts";
import { WALK_START, walkPage } from "../../src/state/lifecycle/lifecycle-walk.ts";
import { applyTransition, type CopyAllowance, type TransitionOutcome } from "../../src/state/lifecycle/transitions.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { d1With, r2With } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import { bucketId } from "../support/stored-state.ts";
import { clearRules, midnight, putLifecycle, rule } from "../support/lifecycle.ts";
import { uploadInParts } from "../support/multipart.ts";
import { bodyOf } from "../support/versioning.ts";
import { ANY_SIZE, PARTS, blobOf, classOf, movesAfter, seen } from "./lifecycle-transitions-fixture.ts";

/** Executes the first due transition of a bucket, in the smallest possible steps. */
async function moveFirst(bucketName: string, now: number, allowance: CopyAllowance): Promise<TransitionOutcome> {
  const context = jobContext(now);
  const { bucket } = await context.database.look(lookUpBucket(bucketName));
  const configuration = lifecycleFromText(bucket?.configurations.lifecycle ?? null);
  if (bucket === undefined || configuration === undefined) throw new Error("no rules");
  const { evaluated } = await walkPage({ database: context.database, bucket, configuration, now }, WALK_START);
  const first = evaluated.find(({ action }) => action.action === "transition");
  if (first === undefined || first.kind === "upload" || first.action.action !== "transition")
    throw new Error("nothing to move");
  const { version, action } = first;
  const transition = { bucket, revision: configuration.revision, version, storageClass: action.storageClass, now };
  return applyTransition(context, transition, allowance);
}

// Other tests' buckets are in the same database, and a pass covers all of them.
beforeEach(clearRules);

describe("a transition", () => {
  it("continues where it stopped, however small the steps", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    const before = await seen(bucket, "parts");
    await putLifecycle(bucket, rule(movesAfter(30)));
    const now = midnight(31);
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("unfinished");
    expect(await classOf(bucket, "parts")).toBe("STANDARD");
    expect(await moveFirst(bucket, now, { blobs: 0, bytes: 1 })).toBe("unfinished");
    expect(await seen(bucket, "parts")).toEqual(before);
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("unfinished");
    expect(await moveFirst(bucket, now, { blobs: 1, bytes: 1 })).toBe("moved");
    expect(await classOf(bucket, "parts")).toBe("STANDARD_IA");
    expect(await seen(bucket, "parts")).toEqual(before);
    const left = await env.DB.prepare("SELECT * FROM storage_class_transitions WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .all();
    expect(left.results).toEqual([]);
    await expectSoundReferences(bucket);
  });

  it("makes each copy once, also when the record of it is lost", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "parts", PARTS);
    const before = await seen(bucket, "parts");
    await putLifecycle(bucket, rule(movesAfter(30)));
    const now = midnight(31);
    expect(await moveFirst(bucket, now, { blobs: 2, bytes: 1e9 })).toBe("unfinished");
    await env.DB.prepare("UPDATE storage_class_transitions SET slices_left = 3 WHERE bucket_id = ?")
      .bind(await bucketId(bucket))
      .run();
    expect(await moveFirst(bucket, now, { blobs: 9, bytes: 1e9 })).toBe("moved");
    expect(await seen(bucket, "parts")).toEqual(before);
    await expectSoundReferences(bucket);
  });

  it("fails for a version whose bytes are missing, and continues with the others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" }, IN_STORE);
    await env.BLOBS.delete((await blobOf(bucket, "a")) ?? "");
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    expect((await runPass(lifecycle, midnight(31))).report).toMatchObject({ failed: 1, moved: 1 });
    expect([await classOf(bucket, "a"), await classOf(bucket, "b")]).toEqual(["STANDARD", "STANDARD_IA"]);
  });

  it("loses no byte when the blob store fails midway", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let calls = 0;
    const failing = r2With({
      put: async (key, body, options) => {
        calls += 1;
        if (calls === 1) throw new Error("put: We encountered an internal error. Please try again. (10001)");
        return env.BLOBS.put(key, body, options);
      },
    });
    expect((await runPass(lifecycle, midnight(31), { BLOBS: failing })).report).toMatchObject({ failed: 1, moved: 1 });
    expect((await runPass(lifecycle, midnight(32))).report).toMatchObject({ moved: 1 });
    expect([await bodyOf(bucket, "a"), await bodyOf(bucket, "b")]).toEqual(["1", "2"]);
  });

  it("loses no byte when the database's response is lost", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1" });
    await putLifecycle(bucket, rule(movesAfter(30), ANY_SIZE));
    let lost = 0;
    const DB = d1With(async (sql, sendOn) => {
      const results = await sendOn();
      if (lost > 0 || !sql.some((text) => text.includes("judged_version_guard"))) return results;
      lost += 1;
      throw new Error("D1_ERROR: Network connection lost.");
    });
    expect((await runPass(lifecycle, midnight(31), { DB })).report).toMatchObject({ moved: 1 });
    expect(lost).toBe(1);
    expect([await bodyOf(bucket, "a"), await classOf(bucket, "a")]).toEqual(["1", "STANDARD_IA"]);
    await expectSoundReferences(bucket);
  });
});

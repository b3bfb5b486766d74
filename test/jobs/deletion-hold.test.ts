// The hold on deletions: what sets it, what it stops, and how an operator lifts it.
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { findDeletionHold } from "../../src/jobs/deletion-hold.ts";
import { rebuild } from "../../src/jobs/rebuild/rebuild.ts";
import { SCHEDULE, scheduleUnder } from "../../src/jobs/schedule.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Databases } from "../../src/state/d1/databases.ts";
import { holdDeletions, liftHold } from "../../src/state/repair/deletion-hold.ts";
import { R2BlobStore } from "../../src/state/blobs/r2-blob-store.ts";
import worker from "../../src/worker.ts";
import { connectionLost, r2With } from "../support/faults.ts";
import { runPass } from "../support/jobs.ts";
import { loseDatabase, REBUILT } from "../support/rebuilding.ts";

const MARK = "cairn/generation";
const warn = vi.spyOn(console, "warn");

beforeEach(async () => {
  await loseDatabase();
  await env.BLOBS.delete(MARK);
  warn.mockReset().mockImplementation(() => undefined);
});

// The tests' own database continues with the blob store that all tests share.
afterEach(async () => {
  await env.BLOBS.delete(MARK);
  await env.DB.batch(["store_generation", "deletion_hold"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});

const databases = new Databases([{ name: "DB", d1: REBUILT }], new Counts());
const database = databases.first;

function tick(BLOBS: R2Bucket = env.BLOBS): Promise<string | undefined> {
  return findDeletionHold({ databases, blobs: new R2BlobStore(BLOBS, new Counts()) }, Date.now());
}

/** Sets the generation back to an earlier value, as a restored database contains it. */
async function restoreGeneration(generation: number): Promise<void> {
  await REBUILT.prepare("UPDATE store_generation SET generation = ?").bind(generation).run();
}

describe("deletions", () => {
  it("continue while the database and its blob store record the same ticks", async () => {
    for (let count = 0; count < 4; count += 1) expect(await tick()).toBeUndefined();
    expect(await REBUILT.prepare("SELECT generation FROM store_generation").first("generation")).toBe(4);
  });

  it("are on hold from the first tick after a restore of the database until the hold is lifted", async () => {
    for (let count = 0; count < 3; count += 1) await tick();
    await restoreGeneration(2);
    expect(await tick()).toContain("restored to an earlier moment");
    // Also in the next tick, and in one that is later than the restored moment.
    for (let count = 0; count < 5; count += 1) expect(await tick()).toContain("restored to an earlier moment");
    await database.batch([liftHold(Date.now())]);
    for (let count = 0; count < 3; count += 1) expect(await tick()).toBeUndefined();
  });

  it("continue when the restore is undone", async () => {
    for (let count = 0; count < 3; count += 1) await tick();
    await restoreGeneration(1);
    await tick();
    await REBUILT.prepare("DELETE FROM deletion_hold").run();
    await restoreGeneration(3);
    expect(await tick()).toBeUndefined();
  });

  it("are on hold with an empty database, with another store's, and with a store that has lost its mark", async () => {
    await tick();
    await REBUILT.prepare("DELETE FROM store_generation").run();
    expect(await tick()).toContain("the database is new");
    await REBUILT.prepare("DELETE FROM deletion_hold").run();
    await REBUILT.prepare("INSERT INTO store_generation VALUES (1, 'another', 1000)").run();
    expect(await tick()).toContain("another blob store");
    await REBUILT.prepare("DELETE FROM deletion_hold").run();
    await env.BLOBS.delete(MARK);
    expect(await tick()).toContain("not the one");
  });

  it("continue after a first tick that ended between the database and the blob store", async () => {
    const BLOBS = r2With({ put: () => Promise.reject(connectionLost()) });
    expect(await tick(BLOBS)).toContain("not known");
    expect(await tick()).toBeUndefined();
    expect(await tick(BLOBS)).toContain("not known");
    expect(await tick()).toBeUndefined();
    expect(await REBUILT.prepare("SELECT 1 FROM deletion_hold").first()).toBeNull();
  });

  it("are on hold in a tick that cannot read the mark", async () => {
    await tick();
    await env.BLOBS.put(MARK, "no JSON");
    expect(await tick()).toContain("not known");
  });

  it("are on hold after a rebuild", async () => {
    await runPass(rebuild, Date.now(), { DB: REBUILT });
    expect(await tick()).toBe("the database was rebuilt");
    await database.batch([liftHold(Date.now())]);
    expect(await tick()).toBeUndefined();
    expect(await tick()).toBeUndefined();
  });

  it("are on hold again after an event between the lifting and its tick", async () => {
    await database.batch([holdDeletions("first", 1), liftHold(2), holdDeletions("second", 3)]);
    expect(await tick()).toBe("second");
    await database.batch([holdDeletions("third", 4)]);
    expect(await tick()).toBe("second");
  });
});

describe("a tick while deletions are on hold", () => {
  it("runs no job that deletes, and logs it", async () => {
    const names = scheduleUnder("held", "23 * * * *").map(({ job }) => job.name);
    expect(names).toEqual([
      "scrub",
      "deliver-events",
      "import-objects",
      "pack-small-blobs",
      "count-quotas",
      "build-query-indexes",
      "reseal-secrets",
      "rebuild",
      "restore",
    ]);
    expect(scheduleUnder(undefined, "23 * * * *", true)).toEqual(SCHEDULE);
    const withOneDatabase = SCHEDULE.filter(({ job }) => job.name !== "complete-placements");
    expect(scheduleUnder(undefined, "23 * * * *")).toEqual(withOneDatabase);
    await database.batch([holdDeletions("a reason", 1)]);
    const settings = { SCRUB_MEGABYTES_PER_TICK: "0" };
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "*/5 * * * *" }), {
      ...env,
      ...settings,
      DB: REBUILT,
    });
    const ran = await REBUILT.prepare("SELECT name FROM jobs").all<{ name: string }>();
    expect(ran.results).toEqual([
      { name: "build-query-indexes" },
      { name: "count-quotas" },
      { name: "deliver-events" },
      { name: "import-objects" },
      { name: "pack-small-blobs" },
    ]);
    expect(warn.mock.calls.flat().join("\n")).toContain("a reason");
  });
});

describe("the mark of the blob store", () => {
  it("is no blob: it is not listed and does not end a listing", async () => {
    await tick();
    const blobs = new R2BlobStore(env.BLOBS, new Counts());
    const before = await env.BLOBS.list({ startAfter: "cairn/", limit: 1 });
    expect(before.objects.map(({ key }) => key)).toEqual([MARK]);
    const page = await blobs.list("cairn/", 1);
    expect(page.blobs).toEqual([]);
    expect(page.next).toBe(before.truncated ? MARK : undefined);
  });
});

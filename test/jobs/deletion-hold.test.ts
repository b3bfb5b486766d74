// The hold on deletions: what raises it, what it stops, and how an operator lifts it.
import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { findDeletionHold } from "../../src/jobs/deletion-hold.ts";
import { rebuild } from "../../src/jobs/rebuild.ts";
import { SCHEDULE, scheduleUnder } from "../../src/jobs/schedule.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
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

// The tests' own database goes on with the blob store that all of them share.
afterEach(async () => {
  await env.BLOBS.delete(MARK);
  await env.DB.batch(["store_generation", "deletion_hold"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
});

const database = new Database(REBUILT, new Counts());

function tick(BLOBS: R2Bucket = env.BLOBS): Promise<string | undefined> {
  return findDeletionHold({ database, blobs: new R2BlobStore(BLOBS, new Counts()) }, Date.now());
}

/** Makes the generation what it was at an earlier moment, as a restored database has it. */
async function restoreGeneration(generation: number): Promise<void> {
  await REBUILT.prepare("UPDATE store_generation SET generation = ?").bind(generation).run();
}

describe("deletions", () => {
  it("go on while the database and its blob store see the same ticks", async () => {
    for (let count = 0; count < 4; count += 1) expect(await tick()).toBeUndefined();
    expect(await REBUILT.prepare("SELECT generation FROM store_generation").first("generation")).toBe(4);
  });

  it("are held from the first tick after the database was restored, until the hold is lifted", async () => {
    for (let count = 0; count < 3; count += 1) await tick();
    await restoreGeneration(2);
    expect(await tick()).toContain("restored to an earlier moment");
    // Also the next tick, and one that is later than the moment from which it was restored.
    for (let count = 0; count < 5; count += 1) expect(await tick()).toContain("restored to an earlier moment");
    await database.batch([liftHold(Date.now())]);
    for (let count = 0; count < 3; count += 1) expect(await tick()).toBeUndefined();
  });

  it("go on where the restore is undone", async () => {
    for (let count = 0; count < 3; count += 1) await tick();
    await restoreGeneration(1);
    await tick();
    await REBUILT.prepare("DELETE FROM deletion_hold").run();
    await restoreGeneration(3);
    expect(await tick()).toBeUndefined();
  });

  it("are held with an empty database, with another store's, and with a store that has lost its mark", async () => {
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

  it("go on after a first tick that ended between the database and the blob store", async () => {
    const BLOBS = r2With({ put: () => Promise.reject(connectionLost()) });
    expect(await tick(BLOBS)).toContain("not known");
    expect(await tick()).toBeUndefined();
    expect(await tick(BLOBS)).toContain("not known");
    expect(await tick()).toBeUndefined();
    expect(await REBUILT.prepare("SELECT 1 FROM deletion_hold").first()).toBeNull();
  });

  it("are held for a tick that cannot read the mark", async () => {
    await tick();
    await env.BLOBS.put(MARK, "no JSON");
    expect(await tick()).toContain("not known");
  });

  it("are held after a rebuild", async () => {
    await runPass(rebuild, Date.now(), { DB: REBUILT });
    expect(await tick()).toBe("the database was rebuilt");
    await database.batch([liftHold(Date.now())]);
    expect(await tick()).toBeUndefined();
    expect(await tick()).toBeUndefined();
  });

  it("are held again by what happens while a lifted hold waits for its tick", async () => {
    await database.batch([holdDeletions("first", 1), liftHold(2), holdDeletions("second", 3)]);
    expect(await tick()).toBe("second");
    await database.batch([holdDeletions("third", 4)]);
    expect(await tick()).toBe("second");
  });
});

describe("a tick while deletions are held", () => {
  it("runs no job that deletes, and says so", async () => {
    const names = scheduleUnder("held", "23 * * * *").map(({ job }) => job.name);
    expect(names).toEqual(["scrub", "reseal-secrets", "rebuild"]);
    expect(scheduleUnder(undefined, "23 * * * *")).toBe(SCHEDULE);
    await database.batch([holdDeletions("a reason", 1)]);
    const settings = { SCRUB_MEGABYTES_PER_TICK: "0" };
    await worker.scheduled(createScheduledController({ scheduledTime: new Date(), cron: "*/5 * * * *" }), {
      ...env,
      ...settings,
      DB: REBUILT,
    });
    const ran = await REBUILT.prepare("SELECT name FROM jobs").all<{ name: string }>();
    expect(ran.results).toEqual([]);
    expect(warn.mock.calls.flat().join("\n")).toContain("a reason");
  });
});

describe("the mark of the blob store", () => {
  it("is no blob: it is neither listed nor ends a listing", async () => {
    await tick();
    const blobs = new R2BlobStore(env.BLOBS, new Counts());
    const before = await env.BLOBS.list({ startAfter: "cairn/", limit: 1 });
    expect(before.objects.map(({ key }) => key)).toEqual([MARK]);
    const page = await blobs.list("cairn/", 1);
    expect(page.blobs).toEqual([]);
    expect(page.next).toBe(before.truncated ? MARK : undefined);
  });
});

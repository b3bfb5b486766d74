import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { JOB_SCHEDULE } from "../../src/contract/job-schedule.ts";
import type { Job, JobStep } from "../../src/jobs/job.ts";
import { runJobs } from "../../src/jobs/run-jobs.ts";
import { SCHEDULE } from "../../src/jobs/schedule.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { jobContext } from "../support/jobs.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { loseDatabase, REBUILT } from "../support/rebuilding.ts";
import { freshUser } from "../support/users.ts";

const HOUR_MS = 3_600_000;
const NOON = Date.UTC(2026, 10, 21, 12);
/** A database whose jobs only this file runs. */
const OWN = { DB: REBUILT };

beforeEach(async () => {
  for (const method of ["log", "error"] as const) vi.spyOn(console, method).mockImplementation(() => undefined);
  await loseDatabase();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await REBUILT.batch(["jobs", "deletion_hold"].map((table) => REBUILT.prepare(`DELETE FROM ${table}`)));
});

function childOf(parent: Element, name: string): Element | undefined {
  return childrenOf(parent, name)[0];
}

/** The text of a child of a child. */
function textIn(parent: Element, child: string, name: string): string | undefined {
  const found = childOf(parent, child);
  return found === undefined ? undefined : textOf(found, name);
}

async function report(scope: object = {}): Promise<Element> {
  const response = await send("GET", "/?jobs", {}, { ...OWN, ...scope });
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

async function jobIn(name: string, scope: object = {}): Promise<Element> {
  const found = childrenOf(await report(scope), "Job").find((job) => textOf(job, "Name") === name);
  if (found === undefined) throw new Error(`no job ${name}`);
  return found;
}

function countsOf(job: Element, pass: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    childrenOf(childOf(job, pass) ?? job, "Count").map((count) => [
      textOf(count, "Name") ?? "",
      textOf(count, "Value") ?? "",
    ]),
  );
}

/** Runs one tick of a job that has the name, and so the row, of a scheduled one. */
async function tick(name: string, now: number, ...steps: readonly (JobStep | Error)[]): Promise<void> {
  const left = [...steps];
  const job: Job = {
    name,
    async step() {
      const next = left.shift();
      if (next === undefined || next instanceof Error) throw next ?? new Error("no step left");
      return Promise.resolve(next);
    },
  };
  const { settings } = jobContext(now, OWN);
  const connect = (counts: Parameters<typeof jobContext>[2]) => jobContext(now, OWN, counts);
  const run = runJobs([{ job, periodMs: () => HOUR_MS }], { now, clock: () => now + 1000, settings, connect });
  await run.catch(() => undefined);
}

const done = (counts: JobStep["report"]): JobStep => ({ cursor: null, report: counts });
const paused = (counts: JobStep["report"]): JobStep => ({ cursor: "here", endsTick: true, report: counts });
const at = (time: number): string => new Date(time).toISOString();

describe("ListScheduledJobs", () => {
  it("lists every job of the schedule, without times for one that never ran", async () => {
    const jobs = childrenOf(await report(), "Job");
    const names = JOB_SCHEDULE.map(({ name }) => name).filter((name) => name !== "complete-placements");
    expect(jobs.map((job) => textOf(job, "Name"))).toEqual(
      Reflect.get(env, "META_1") === undefined ? names : JOB_SCHEDULE.map(({ name }) => name),
    );
    const lifecycle = jobs.find((job) => textOf(job, "Name") === "lifecycle");
    expect(lifecycle?.children.map(({ name, text }) => [name, text])).toEqual([
      ["Name", "lifecycle"],
      ["Status", "Idle"],
      ["PeriodSeconds", "86400"],
    ]);
  });

  it("names each job as the schedule does", () => {
    expect(SCHEDULE.map(({ job }) => job.name)).toEqual(JOB_SCHEDULE.map(({ name }) => name));
  });

  it("reports a complete pass with its counts and the time of the next one", async () => {
    await tick("lifecycle", NOON, { cursor: "here", report: { seen: 4 } }, done({ seen: 3, versionsRemoved: 2 }));
    const job = await jobIn("lifecycle");
    expect([textOf(job, "Status"), textOf(job, "LastStarted"), textOf(job, "LastStep")]).toEqual([
      "Idle",
      at(NOON),
      at(NOON + 1000),
    ]);
    expect(textOf(job, "NextDue")).toBe("2026-11-22T00:00:00.000Z");
    expect(textIn(job, "LastPass", "Started")).toBe(at(NOON));
    expect(textIn(job, "LastPass", "Ended")).toBe(at(NOON + 1000));
    expect(countsOf(job, "LastPass")).toEqual({ seen: "7", versionsRemoved: "2" });
    expect(childOf(job, "CurrentPass")).toBeUndefined();
  });

  it("keeps the counts of the last pass while the next one is in progress", async () => {
    await tick("collect-garbage", NOON, done({ collected: 5, waiting: 1 }));
    await tick("collect-garbage", NOON + HOUR_MS, paused({ collected: 2 }));
    const job = await jobIn("collect-garbage");
    expect(textOf(job, "Status")).toBe("InProgress");
    expect(countsOf(job, "LastPass")).toEqual({ collected: "5", waiting: "1" });
    expect(countsOf(job, "CurrentPass")).toEqual({ collected: "2" });
    expect(textIn(job, "CurrentPass", "Started")).toBe(at(NOON + HOUR_MS));
    expect(textOf(job, "NextDue")).toBe(at(NOON + HOUR_MS + 1000));
    await tick("collect-garbage", NOON + 2 * HOUR_MS, done({ collected: 1 }));
    expect(countsOf(await jobIn("collect-garbage"), "LastPass")).toEqual({ collected: "3" });
  });

  it("reports why a step failed until another one succeeds", async () => {
    await tick("scan-orphans", NOON, done({ seen: 1 }));
    await tick("scan-orphans", NOON + HOUR_MS, new Error("out <of> order".padEnd(600, "!")));
    const failed = await jobIn("scan-orphans");
    expect(textOf(failed, "Status")).toBe("Failed");
    expect(textIn(failed, "Failure", "FailedAt")).toBe(at(NOON + HOUR_MS + 1000));
    expect(textIn(failed, "Failure", "Message")).toBe("out <of> order".padEnd(500, "!"));
    expect(countsOf(failed, "LastPass")).toEqual({ seen: "1" });
    await tick("scan-orphans", NOON + HOUR_MS, done({ seen: 2 }));
    const mended = await jobIn("scan-orphans");
    expect([textOf(mended, "Status"), childOf(mended, "Failure")]).toEqual(["Idle", undefined]);
  });

  it("reports no failure that a release without its columns has passed", async () => {
    await tick("scan-orphans", NOON, new Error("out of order"));
    await REBUILT.prepare("UPDATE jobs SET stepped_at = stepped_at + 1").run();
    expect(textOf(await jobIn("scan-orphans"), "Status")).toBe("Idle");
  });

  it("reports the hold on deletions, and the jobs that it stops", async () => {
    await REBUILT.prepare("INSERT INTO deletion_hold (id, reason, held_at) VALUES (1, 'restored', ?)").bind(NOON).run();
    const held = await report();
    expect(textIn(held, "DeletionHold", "Reason")).toBe("restored");
    expect(textIn(held, "DeletionHold", "HeldAt")).toBe(at(NOON));
    const withStatus = (result: Element, status: string): (string | undefined)[] =>
      childrenOf(result, "Job")
        .filter((job) => textOf(job, "Status") === status)
        .map((job) => textOf(job, "Name"));
    expect(withStatus(held, "Held")).toEqual(expect.arrayContaining(["collect-garbage", "lifecycle", "scan-orphans"]));
    expect(withStatus(held, "Held")).not.toContain("scrub");
    await REBUILT.prepare("UPDATE deletion_hold SET lifted_at = 1").run();
    const lifted = await report();
    expect([childOf(lifted, "DeletionHold"), withStatus(lifted, "Held")]).toEqual([undefined, []]);
  });

  it("reports jobs that settings disable, and one that runs once without a next time", async () => {
    const scope = { LIFECYCLE: "false", SCRUB_MEGABYTES_PER_TICK: "0" };
    for (const name of ["lifecycle", "scrub", "rebuild"]) {
      const job = await jobIn(name, scope);
      expect([textOf(job, "Status"), textOf(job, "PeriodSeconds")], name).toEqual(["Disabled", undefined]);
    }
    await tick("rebuild", NOON, done({ objects: 1 }));
    const rebuilt = await jobIn("rebuild", { REBUILD: "true" });
    expect(textOf(rebuilt, "Status")).toBe("Idle");
    expect([textOf(rebuilt, "PeriodSeconds"), textOf(rebuilt, "NextDue")]).toEqual([undefined, undefined]);
  });

  it("reports the size of each database, in one round trip to each that writes nothing", async () => {
    const response = await send("GET", "/?jobs", {}, OWN);
    const databases = childrenOf(readXml(await response.text()), "Database");
    expect(databases.map((database) => textOf(database, "Name"))[0]).toBe("DB");
    for (const database of databases) {
      expect(Number(textOf(database, "Bytes"))).toBeGreaterThan(4096);
      expect(textOf(database, "MaxBytes")).toBe("10000000000");
      expect(textOf(database, "Schema")).toMatch(/^\d{4}_\w+\.sql$/);
    }
    expect(costOf(response)).toMatchObject({ roundTrips: databases.length, rowsWritten: 0, blobCalls: 0 });
  });

  it("is for those whom a policy allows it", async () => {
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:ListScheduledJobs", Resource: "*" });
    expect((await send("GET", "/?jobs", { credentials })).status).toBe(200);
    const other = await freshUser({ Effect: "Allow", Action: ["s3:Get*", "s3:ListAllMyBuckets"], Resource: "*" });
    const denied = { status: 403, code: "AccessDenied" };
    await expectS3Error(await send("GET", "/?jobs", { credentials: other.credentials }), denied);
    await expectS3Error(await deliver(anonymous("GET", "/?jobs")), denied);
  });
});

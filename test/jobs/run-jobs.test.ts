// A tick of the schedule: which jobs run, which wait, and what remains after every kind of failure.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Job, JobStep, ScheduledJob } from "../../src/jobs/job.ts";
import { runJobs } from "../../src/jobs/run-jobs.ts";
import { isHourly, scheduleUnder } from "../../src/jobs/schedule.ts";
import { statement } from "../../src/state/d1/database.ts";
import type { RequestScope } from "../support/client.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { jobContext, logLines } from "../support/jobs.ts";

const [wranglerToml = ""] = Object.values<string>(
  import.meta.glob("../../wrangler.toml", { query: "?raw", import: "default", eager: true }),
);

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON = Date.UTC(2026, 10, 21, 12);

const log = vi.spyOn(console, "log");
const errorLog = vi.spyOn(console, "error");
beforeEach(() => {
  log.mockReset().mockImplementation(() => undefined);
  errorLog.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  log.mockReset();
  errorLog.mockReset();
});

interface TestJob extends Job {
  /** The cursors of its calls. */
  readonly calls: (string | null)[];
}

/** A job whose pass has the given number of steps. */
function jobOf(steps: number, act: (call: number) => Promise<void> = async () => undefined): TestJob {
  const calls: (string | null)[] = [];
  return {
    name: `test-${crypto.randomUUID()}`,
    calls,
    async step(_context, cursor): Promise<JobStep> {
      calls.push(cursor);
      await act(calls.length);
      const done = Number(cursor ?? 0) + 1;
      return { cursor: done < steps ? String(done) : null, report: { done: 1 } };
    },
  };
}

function each(periodMs: number | undefined, ...jobs: readonly Job[]): ScheduledJob[] {
  return jobs.map((job) => ({ job, periodMs: () => periodMs }));
}

interface TickOptions extends RequestScope {
  readonly now?: number;
  readonly clock?: () => number;
}

function tick(jobs: readonly ScheduledJob[], options: TickOptions = {}): Promise<void> {
  const { now = NOON, clock = Date.now, ...scope } = options;
  const { settings } = jobContext(now, scope);
  return runJobs(jobs, { now, clock, settings, connect: (counts) => jobContext(now, scope, counts) });
}

async function rowOf({ name }: Job): Promise<Record<string, unknown> | null> {
  return env.DB.prepare("SELECT * FROM jobs WHERE name = ?").bind(name).first();
}

function lines(job: Job): Record<string, unknown>[] {
  return logLines(job.name, [...log.mock.calls, ...errorLog.mock.calls]);
}

describe("a tick", () => {
  it("runs a pass from beginning to end and logs one line for it", async () => {
    const job = jobOf(3);
    await tick(each(0, job));
    expect(job.calls).toEqual([null, "1", "2"]);
    expect(lines(job)).toMatchObject([
      { level: "info", steps: 3, isPassOver: true, report: { done: 3 }, blobCalls: 0 },
    ]);
    expect(lines(job)[0]?.["ms"]).toEqual(expect.any(Number));
    expect(await rowOf(job)).toMatchObject({ is_passing: 0, cursor: null, report: '{"done":3}', lease_holder: null });
  });

  it("starts one pass per period, counted from midnight UTC", async () => {
    const job = jobOf(1);
    const at = async (now: number): Promise<number> => {
      await tick(each(DAY_MS, job), { now });
      return job.calls.length;
    };
    expect(await at(NOON)).toBe(1);
    expect(await at(NOON + 11 * HOUR_MS)).toBe(1);
    expect(await at(NOON + 12 * HOUR_MS - 1)).toBe(1);
    expect(await at(NOON + 12 * HOUR_MS)).toBe(2);
    expect(await at(NOON + 36 * HOUR_MS - 1)).toBe(2);
    expect(await at(NOON + 100 * DAY_MS)).toBe(3);
    expect(await at(NOON)).toBe(3);
  });

  it("starts a one-time pass, and never a second one", async () => {
    const failing = jobOf(2, async (call) => {
      if (call === 1) throw new Error("out of order");
      await Promise.resolve();
    });
    await expect(tick(each(Number.MAX_SAFE_INTEGER, failing))).rejects.toThrow("out of order");
    await tick(each(Number.MAX_SAFE_INTEGER, failing));
    await tick(each(Number.MAX_SAFE_INTEGER, failing), { now: NOON + 100 * DAY_MS });
    expect(failing.calls).toEqual([null, null, "1"]);
  });

  it("skips a disabled job, also in the middle of a pass", async () => {
    const job = jobOf(40);
    await tick(each(DAY_MS, job), { JOB_CALLS_PER_TICK: "10" });
    const before = job.calls.length;
    await tick(each(undefined, job));
    expect(job.calls).toHaveLength(before);
    expect(await rowOf(job)).toMatchObject({ is_passing: 1, cursor: String(before) });
    await tick(each(DAY_MS, job));
    expect(job.calls).toEqual([null, ...Array.from({ length: 39 }, (_, index) => String(index + 1))]);
  });

  it("lets jobs take turns, ends when its calls are spent, and continues where it stopped", async () => {
    const [one, other] = [jobOf(20), jobOf(20)];
    await tick(each(DAY_MS, one, other), { JOB_CALLS_PER_TICK: "14" });
    expect(one.calls.length + other.calls.length).toBe(11);
    expect(Math.abs(one.calls.length - other.calls.length)).toBe(1);
    await tick(each(DAY_MS, one, other));
    expect(one.calls).toEqual(other.calls);
    expect(one.calls).toHaveLength(20);
    expect(await rowOf(one)).toMatchObject({ report: '{"done":20}' });
  });

  it("admits other events between two steps", async () => {
    let heard: number | undefined;
    const job = jobOf(20, async (call) => {
      if (call === 1) setTimeout(() => (heard = job.calls.length), 0);
      await Promise.resolve();
    });
    await tick(each(0, job));
    expect(heard).toBeLessThanOrEqual(2);
  });

  it("starts with the job that has waited longest", async () => {
    const jobs = [jobOf(99), jobOf(99), jobOf(99), jobOf(99), jobOf(99), jobOf(99)];
    for (let turn = 0; turn < 12; turn += 1) await tick(each(DAY_MS, ...jobs), { JOB_CALLS_PER_TICK: "10" });
    const counts = jobs.map(({ calls }) => calls.length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it("runs no further step of a job that defers to the next tick", async () => {
    const job = jobOf(3);
    const resting: Job = {
      name: job.name,
      step: async (context, cursor) => ({ ...(await job.step(context, cursor)), endsTick: true }),
    };
    await tick(each(DAY_MS, resting));
    await tick(each(DAY_MS, resting));
    expect(job.calls).toEqual([null, "1"]);
    expect(await rowOf(resting)).toMatchObject({ is_passing: 1, cursor: "2", lease_holder: null });
  });

  it("ends at its time limit", async () => {
    let clock = Date.now();
    const job = jobOf(99, async () => {
      clock += 60_000;
      await Promise.resolve();
    });
    await tick(each(0, job), { clock: () => clock });
    expect(job.calls).toHaveLength(4);
    await tick(each(0, job), { clock: () => clock });
    expect(job.calls).toHaveLength(8);
  });
});

describe("a failing job", () => {
  it("stops no other, is logged, and is retried from where it stopped", async () => {
    const failing = jobOf(3, async (call) => {
      if (call === 2) throw new Error("out of order");
      await Promise.resolve();
    });
    const other = jobOf(3);
    await expect(tick(each(DAY_MS, failing, other))).rejects.toThrow("out of order");
    expect(other.calls).toHaveLength(3);
    expect(lines(failing)).toMatchObject([
      { level: "error", steps: 1, isPassOver: false, report: { done: 1 }, message: "out of order" },
    ]);
    expect(await rowOf(failing)).toMatchObject({ is_passing: 1, cursor: "1", lease_holder: null });
    await tick(each(DAY_MS, failing, other));
    expect(failing.calls).toEqual([null, "1", "1", "2"]);
    expect(other.calls).toHaveLength(3);
  });

  it("runs last in the next tick, for any cost", async () => {
    const failing = jobOf(1, async () => {
      await Promise.resolve();
      throw new Error("out of order");
    });
    let clock = Date.now();
    const costly: Job = {
      name: failing.name,
      async step(context, cursor) {
        clock += 5 * 60_000;
        return failing.step(context, cursor);
      },
    };
    const others = [jobOf(1), jobOf(1)];
    const options = { clock: () => clock };
    await expect(tick(each(DAY_MS, costly, ...others), options)).rejects.toThrow("out of order");
    await tick(each(DAY_MS, costly, ...others), options).catch(() => undefined);
    expect(others.map(({ calls }) => calls.length)).toEqual([1, 1]);
  });

  it("repeats a step when D1 fails while its result is saved", async () => {
    const job = jobOf(2);
    let isBroken = true;
    const DB = d1With(async (sql, send) => {
      const isSave = sql.some((text) => text.startsWith("UPDATE jobs SET is_passing"));
      if (!isSave || !isBroken) return send();
      isBroken = false;
      throw connectionLost();
    });
    await expect(tick(each(0, job), { DB })).rejects.toThrow("Network connection lost");
    await tick(each(0, job));
    expect(job.calls).toEqual([null, null, "1"]);
  });
});

describe("a lease", () => {
  it("lets one of many ticks run", async () => {
    const job = jobOf(5, () => new Promise((resolve) => setTimeout(resolve, 20)));
    await Promise.all([1, 2, 3, 4].map(() => tick(each(DAY_MS, job))));
    expect(job.calls).toEqual([null, "1", "2", "3", "4"]);
  });

  it("of a dead tick expires, and the pass continues", async () => {
    const job = jobOf(3);
    await tick(each(DAY_MS, jobOf(1), job), { JOB_CALLS_PER_TICK: "10" });
    await env.DB.prepare(
      `UPDATE jobs SET is_passing = 1, cursor = '1', lease_holder = 'dead', lease_until = ? WHERE name = ?`,
    )
      .bind(Date.now() + 60_000, job.name)
      .run();
    const before = job.calls.length;
    await tick(each(DAY_MS, job));
    expect(job.calls).toHaveLength(before);
    await tick(each(DAY_MS, job), { clock: () => Date.now() + 60_001 });
    expect(job.calls.slice(before)).toEqual(["1", "2"]);
  });

  it("that is lost during a step ends the work, and overwrites nothing of the new owner", async () => {
    const job = jobOf(9, async () => {
      await env.DB.prepare("UPDATE jobs SET lease_holder = 'another', cursor = '7' WHERE name = ?")
        .bind(job.name)
        .run();
    });
    const warnings = jobOf(1);
    await tick(each(DAY_MS, job, warnings));
    expect(job.calls).toEqual([null]);
    expect(await rowOf(job)).toMatchObject({ lease_holder: "another", cursor: "7" });
    expect(lines(job)).toMatchObject([{ level: "warn", isPassOver: false }]);
  });
});

describe("the platform's limits", () => {
  it("stop a tick before its 1000th D1 query, counting each statement of a batch, and the next tick continues", async () => {
    let queries = 0;
    const DB = d1With(async (sql, sendOn) => {
      queries += sql.length;
      return sendOn();
    });
    const statements = Array.from({ length: 50 }, () => statement("SELECT 1"));
    const busy: Job = {
      name: `test-${crypto.randomUUID()}`,
      async step({ database }, cursor) {
        await database.batch(statements);
        const done = Number(cursor ?? 0) + 1;
        return { cursor: done < 40 ? String(done) : null, report: { done: 1 } };
      },
    };
    let ticks = 0;
    for (let left = 40; left > 0; ticks += 1) {
      queries = 0;
      log.mockClear();
      await tick(each(DAY_MS, busy), { DB, JOB_CALLS_PER_TICK: "2000" });
      expect(queries).toBeLessThan(1000);
      expect(queries).toBeGreaterThan(50);
      left -= Number(logLines(busy.name, log.mock.calls)[0]?.["steps"]);
    }
    expect(ticks).toBe(3);
  });

  it("leave long work to schedules of at most one tick an hour", () => {
    const namesAt = (cron: string): string[] => scheduleUnder(undefined, cron).map(({ job }) => job.name);
    for (const cron of ["*/5 * * * *", "* * * * *", "0,30 * * * *", "5-10 * * * *"]) {
      expect(namesAt(cron)).not.toContain("scrub");
      expect(namesAt(cron)).toContain("lifecycle");
    }
    for (const cron of ["23 * * * *", "0 */2 * * *", "7 3 * * SUN"]) expect(namesAt(cron)).toContain("scrub");
  });

  it("have a schedule of each kind in wrangler.toml", () => {
    const crons = Array.from(wranglerToml.matchAll(/"([^"]*\*[^"]*)"/g), ([, cron = ""]) => cron);
    expect(crons.some(isHourly)).toBe(true);
    expect(crons.some((cron) => !isHourly(cron))).toBe(true);
  });
});

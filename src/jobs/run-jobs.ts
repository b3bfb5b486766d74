// A tick of the schedule: the jobs that are due take steps in turn until all are done or the tick's budget is spent. A
// job that fails waits for the next tick and stops no other; one whose lease somebody else has is left alone.
import { randomDigits } from "../bytes/random-id.ts";
import type { Settings } from "../config/settings.ts";
import { Counts } from "../state/d1/counts.ts";
import type { Database } from "../state/d1/database.ts";
import {
  lookUpJobStates,
  releaseLeases,
  saveFailure,
  saveStep,
  takeLease,
  type JobLease,
  type JobState,
} from "../state/metadata/job-states.ts";
import type { Budget, JobContext, ScheduledJob } from "./job.ts";

/** Longer than Cloudflare lets a scheduled call run, so that no step outlives its lease. */
const LEASE_MS = 16 * 60_000;
/** Less than the schedule's interval, so that ticks do not meet. */
const TICK_MS = 4 * 60_000;
const HOLDER_DIGITS = 26;
/** D1 takes 1000 queries from one invocation, each statement of a batch being one; the rest is for the step that is last. */
const D1_QUERIES = 900;

/** What a tick needs. */
export interface Tick {
  /** The time to judge by, in milliseconds since the epoch. */
  readonly now: number;
  /** The wall clock, in milliseconds since the epoch, by which leases and the tick itself are timed. */
  readonly clock: () => number;
  readonly settings: Settings;
  /** Connects to everything, counting. */
  readonly connect: (counts: Counts) => Pick<JobContext, "database" | "blobs" | "coordinators">;
}

/** A job at work in a tick. */
interface Run {
  readonly scheduled: ScheduledJob;
  readonly counts: Counts;
  readonly context: JobContext;
  readonly report: Record<string, number>;
  state: JobState;
  steps: number;
  ms: number;
  /** Why it stopped: its pass is over, it goes on in the next tick, its lease is lost, or it has failed. */
  end: "over" | "rests" | "lost" | "failed" | undefined;
  error: unknown;
}

/**
 * Runs the jobs that are due.
 * @throws AggregateError what made jobs fail, after all the others have had their turns
 */
export async function runJobs(jobs: readonly ScheduledJob[], tick: Tick): Promise<void> {
  const own = new Counts();
  const { database } = tick.connect(own);
  const holder = randomDigits(HOLDER_DIGITS);
  const runs: Run[] = [];
  const budget = tickBudget(tick, () => [own, ...runs.map(({ counts }) => counts)]);
  const states = await database.look(lookUpJobStates());
  try {
    // Whoever has waited longest comes first: a budget that is spent early is spent on another job the next time.
    const waited = ({ job }: ScheduledJob): number => states.get(job.name)?.steppedAt ?? 0;
    for (const scheduled of jobs.toSorted((one, other) => waited(one) - waited(other))) {
      if (budget.isSpent()) break;
      if (!isDue(scheduled, states.get(scheduled.job.name), tick)) continue;
      const state = await database.look(takeLease(leaseOf(scheduled, holder, tick)));
      // By the time of the lease, another tick may have done the work.
      if (state === undefined || !isDue(scheduled, state, tick)) continue;
      const counts = new Counts();
      const context = { ...tick.connect(counts), settings: tick.settings, now: tick.now, budget };
      const run: Run = {
        scheduled,
        counts,
        context,
        report: {},
        state,
        steps: 0,
        ms: 0,
        end: undefined,
        error: undefined,
      };
      runs.push(run);
      await takeTurn(run, holder, tick);
    }
    await takeTurns(runs, holder, tick, budget);
  } finally {
    // Leases that cannot be given back end by themselves.
    await database.batch([releaseLeases(holder)]).catch(() => undefined);
    for (const run of runs) logRun(run);
  }
  const failures = runs.filter(({ end }) => end === "failed").map(({ error }) => error);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join("; "));
}

/** Lets jobs take steps in turn until all are done or the budget is spent. */
async function takeTurns(runs: readonly Run[], holder: string, tick: Tick, budget: Budget): Promise<void> {
  const areOpen = (): Run[] => runs.filter(({ end }) => end === undefined);
  for (let open = areOpen(); open.length > 0; open = areOpen()) {
    for (const run of open) {
      if (budget.isSpent()) return;
      await takeTurn(run, holder, tick);
    }
  }
}

async function takeTurn(run: Run, holder: string, tick: Tick): Promise<void> {
  const began = tick.clock();
  const lease = leaseOf(run.scheduled, holder, tick);
  try {
    await takeStep(run, lease, tick);
  } catch (error) {
    run.end = "failed";
    run.error = error;
    // What fails only after it has spent the tick's budget would else come first every time, and alone.
    await run.context.database.batch([saveFailure(lease)]).catch(() => undefined);
  }
  run.ms += tick.clock() - began;
  await yieldToEventLoop();
}

/**
 * Waits for a moment. Where the database is in the runtime's own process, as under `npm start`, a step never waits for
 * anything outside, and the runtime hears of no request for as long as there is something to go on with.
 */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

async function takeStep(run: Run, lease: JobLease, { now, clock }: Tick): Promise<void> {
  const { scheduled, context, state } = run;
  const step = await scheduled.job.step(context, state.isPassing ? state.cursor : null);
  run.steps += 1;
  addReport(run.report, step.report);
  const soFar = state.isPassing ? { ...state.report } : {};
  addReport(soFar, step.report);
  run.state = {
    isPassing: step.cursor !== null,
    cursor: step.cursor,
    passBeganAt: state.isPassing ? state.passBeganAt : now,
    steppedAt: clock(),
    report: soFar,
  };
  if (!(await hasSaved(context.database, lease, run.state))) run.end = "lost";
  else if (step.cursor === null) run.end = "over";
  else if (step.isTickOver === true) run.end = "rests";
}

async function hasSaved(database: Database, lease: JobLease, state: JobState): Promise<boolean> {
  const [saved] = await database.batch([saveStep(lease, state)]);
  return saved?.changes === 1;
}

/** Whether a pass is under way or a new one may begin. */
function isDue({ periodMs }: ScheduledJob, state: JobState | undefined, { settings, now }: Tick): boolean {
  const period = periodMs(settings);
  if (period === undefined) return false;
  // The row that a first lease makes tells of a pass at 0, which never was.
  if (state === undefined || state.isPassing || period === 0 || state.passBeganAt === 0) return true;
  return Math.floor(now / period) > Math.floor(state.passBeganAt / period);
}

function leaseOf({ job }: ScheduledJob, holder: string, { clock }: Tick): JobLease {
  return { name: job.name, holder, clock: clock(), until: clock() + LEASE_MS };
}

function tickBudget({ clock, settings }: Tick, counted: () => readonly Counts[]): Budget {
  const end = clock() + TICK_MS;
  const callsLeft = (): number => {
    let calls = 0;
    let queries = 0;
    for (const counts of counted()) {
      const { d1RoundTrips, coordinatorCalls, blobCalls } = counts.snapshot();
      calls += d1RoundTrips + coordinatorCalls + blobCalls;
      queries += counts.d1Queries;
    }
    return Math.max(0, Math.min(settings.jobCallsPerTick - calls, D1_QUERIES - queries));
  };
  return { callsLeft, isSpent: () => callsLeft() === 0 || clock() >= end };
}

function addReport(sums: Record<string, number>, report: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(report)) sums[name] = (sums[name] ?? 0) + value;
}

function logRun({ scheduled, counts, report, steps, ms, end, error }: Run): void {
  const isPassOver = end === "over";
  const line = { job: scheduled.job.name, steps, isPassOver, report, ms, ...counts.snapshot() };
  if (end === "failed") console.error(JSON.stringify({ level: "error", ...line, message: messageOf(error) }));
  else console.log(JSON.stringify({ level: end === "lost" ? "warn" : "info", ...line }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

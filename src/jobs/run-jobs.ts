// Runs a tick: due jobs take steps in turn until all are done or the tick's budget is spent. A failed job waits for the
// next tick and stops no other job. A job whose lease another tick owns is skipped.
import { randomDigits } from "../bytes/random-id.ts";
import type { Settings } from "../config/settings.ts";
import { nextDueAt } from "../contract/job-schedule.ts";
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

/** Longer than Cloudflare lets a scheduled call run, so a lease outlives every step. */
const LEASE_MS = 16 * 60_000;
/** Less than the schedule's interval, so that ticks do not overlap. */
const TICK_MS = 4 * 60_000;
const LEASE_ID_DIGITS = 26;
/** D1 allows 1000 queries per invocation, and each statement of a batch counts. */
const D1_QUERIES = 900;

/** The inputs of a tick. */
export interface Tick {
  /** The current time for all decisions, in milliseconds since the epoch. */
  readonly now: number;
  /** The wall clock, in milliseconds since the epoch, which times leases and the tick itself. */
  readonly clock: () => number;
  readonly settings: Settings;
  /** The Worker's environment; by default without bindings of queues. */
  readonly env?: object;
  /** Connects to D1, the blob store and the coordinators with the given counters. */
  readonly connect: (counts: Counts) => Pick<JobContext, "database" | "databases" | "blobs" | "coordinators">;
}

/** A job's activity within one tick. */
interface ActiveJob {
  readonly scheduled: ScheduledJob;
  readonly counts: Counts;
  readonly context: JobContext;
  readonly report: Record<string, number>;
  state: JobState;
  steps: number;
  ms: number;
  /** Why it stopped: the pass is complete, it continues in the next tick, it lost its lease, or it failed. */
  end: "complete" | "paused" | "lost" | "failed" | undefined;
  error: unknown;
}

/**
 * Runs all due jobs.
 * @throws AggregateError the errors of failed jobs, after all other jobs have run
 */
export async function runJobs(jobs: readonly ScheduledJob[], tick: Tick): Promise<void> {
  const own = new Counts();
  const { database } = tick.connect(own);
  const leaseId = randomDigits(LEASE_ID_DIGITS);
  const active: ActiveJob[] = [];
  const budget = tickBudget(tick, () => [own, ...active.map(({ counts }) => counts)]);
  const states = await database.look(lookUpJobStates());
  try {
    // The job that has waited longest comes first, so that a small budget does not starve any job.
    const waited = ({ job }: ScheduledJob): number => states.get(job.name)?.steppedAt ?? 0;
    for (const scheduled of jobs.toSorted((one, other) => waited(one) - waited(other))) {
      if (budget.isSpent()) break;
      if (!isDue(scheduled, states.get(scheduled.job.name), tick)) continue;
      const state = await database.look(takeLease(leaseOf(scheduled, leaseId, tick)));
      // Another tick may have done the work before this one took the lease.
      if (state === undefined || !isDue(scheduled, state, tick)) continue;
      const counts = new Counts();
      const context = { ...tick.connect(counts), settings: tick.settings, env: tick.env ?? {}, now: tick.now, budget };
      const activeJob: ActiveJob = {
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
      active.push(activeJob);
      await runStep(activeJob, leaseId, tick);
    }
    await runSteps(active, leaseId, tick, budget);
  } finally {
    // Leases that cannot be released expire.
    await database.batch([releaseLeases(leaseId)]).catch(() => undefined);
    for (const activeJob of active) logActivity(activeJob);
  }
  const failures = active.filter(({ end }) => end === "failed").map(({ error }) => error);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join("; "));
}

/** Runs steps of the jobs in turn until all are done or the budget is spent. */
async function runSteps(active: readonly ActiveJob[], leaseId: string, tick: Tick, budget: Budget): Promise<void> {
  const openJobs = (): ActiveJob[] => active.filter(({ end }) => end === undefined);
  for (let open = openJobs(); open.length > 0; open = openJobs()) {
    for (const activeJob of open) {
      if (budget.isSpent()) return;
      await runStep(activeJob, leaseId, tick);
    }
  }
}

async function runStep(activeJob: ActiveJob, leaseId: string, tick: Tick): Promise<void> {
  const began = tick.clock();
  const lease = leaseOf(activeJob.scheduled, leaseId, tick);
  try {
    await takeStep(activeJob, lease, tick);
  } catch (error) {
    activeJob.end = "failed";
    activeJob.error = error;
    // Record the failure, or a job that fails after spending the budget would come first, and alone, in every tick.
    await activeJob.context.database.batch([saveFailure(lease, messageOf(error))]).catch(() => undefined);
  }
  activeJob.ms += tick.clock() - began;
  await yieldToEventLoop();
}

/**
 * Yields to the event loop. Under `npm start` the database runs in the same process, so steps never wait for I/O and
 * the runtime would accept no request until the jobs are done.
 */
function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

async function takeStep(activeJob: ActiveJob, lease: JobLease, { now, clock }: Tick): Promise<void> {
  const { scheduled, context, state } = activeJob;
  const step = await scheduled.job.step(context, state.hasOpenPass ? state.cursor : null);
  activeJob.steps += 1;
  addReport(activeJob.report, step.report);
  const soFar = state.hasOpenPass ? { ...state.report } : {};
  addReport(soFar, step.report);
  const passBeganAt = state.hasOpenPass ? state.passBeganAt : now;
  const steppedAt = clock();
  const isComplete = step.cursor === null;
  activeJob.state = {
    hasOpenPass: !isComplete,
    cursor: step.cursor,
    passBeganAt,
    steppedAt,
    report: soFar,
    completedPass: isComplete ? { beganAt: passBeganAt, endedAt: steppedAt, report: soFar } : state.completedPass,
    failure: undefined,
  };
  if (!(await hasSaved(context.database, lease, activeJob.state))) activeJob.end = "lost";
  else if (step.cursor === null) activeJob.end = "complete";
  else if (step.endsTick === true) activeJob.end = "paused";
}

async function hasSaved(database: Database, lease: JobLease, state: JobState): Promise<boolean> {
  const [saved] = await database.batch([saveStep(lease, state)]);
  return saved?.changes === 1;
}

/** Whether a pass is open or a new one may start. */
function isDue({ periodMs }: ScheduledJob, state: JobState | undefined, { settings, now }: Tick): boolean {
  const period = periodMs(settings);
  if (period === undefined) return false;
  return nextDueAt(period, state) <= now;
}

function leaseOf({ job }: ScheduledJob, leaseId: string, { clock }: Tick): JobLease {
  return { name: job.name, holder: leaseId, clock: clock(), until: clock() + LEASE_MS };
}

function tickBudget({ clock, settings }: Tick, counted: () => readonly Counts[]): Budget {
  const end = clock() + TICK_MS;
  let last = 0;
  let largestStep = 0;
  const callsLeft = (): number => {
    let calls = 0;
    let queries = 0;
    for (const counts of counted()) {
      const { d1RoundTrips, coordinatorCalls, blobCalls } = counts.snapshot();
      calls += d1RoundTrips + coordinatorCalls + blobCalls;
      queries += counts.d1Queries;
    }
    largestStep = Math.max(largestStep, queries - last);
    last = queries;
    // Reserve as many queries as the largest step so far, because the next step may need as many.
    return Math.max(0, Math.min(settings.jobCallsPerTick - calls, D1_QUERIES - largestStep - queries));
  };
  return { callsLeft, isSpent: () => callsLeft() === 0 || clock() >= end };
}

function addReport(sums: Record<string, number>, report: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(report)) sums[name] = (sums[name] ?? 0) + value;
}

function logActivity({ scheduled, counts, report, steps, ms, end, error }: ActiveJob): void {
  const isPassOver = end === "complete";
  const line = { job: scheduled.job.name, steps, isPassOver, report, ms, ...counts.snapshot() };
  if (end === "failed") console.error(JSON.stringify({ level: "error", ...line, message: messageOf(error) }));
  else console.log(JSON.stringify({ level: end === "lost" ? "warn" : "info", ...line }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

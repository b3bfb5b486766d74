// The schedule of the jobs by name: when a pass starts, which jobs delete, and which need more than an ordinary tick. The
// jobs themselves are in src/jobs; operations read the schedule from here.
import type { Settings } from "../config/settings.ts";
import type { JobState } from "../state/metadata/job-states.ts";

/** When a job runs. */
export interface JobPlan {
  /** The name of its row in D1 and of its log lines. */
  readonly name: string;
  /**
   * One pass starts in each period of this many milliseconds since the epoch; a day starts at 00:00 UTC. 0: a pass
   * starts when the previous one is complete, at most once per tick. Undefined: the job is disabled and an open pass
   * pauses.
   */
  readonly periodMs: (settings: Settings) => number | undefined;
  /** Whether a hold on deletions stops it. */
  readonly isDeleting?: true;
  /** Whether one step may exceed the CPU time that the platform grants when ticks are less than an hour apart. */
  readonly isLong?: true;
  /** Whether it has work only with more than one database. */
  readonly needsSeveralDatabases?: true;
}

const HOUR_MS = 3_600_000;
const FIVE_MINUTES_MS = 300_000;
/** How often a pass of the job that packs small blobs starts. */
export const PACK_PERIOD_MS = FIVE_MINUTES_MS;
/** The period of a job that runs once: it never ends. */
export const ONCE = Number.MAX_SAFE_INTEGER;

type Period = JobPlan["periodMs"];

/** Whether a lost database is being rebuilt or restored. */
function isRecovering(settings: Settings): boolean {
  return settings.rebuild || settings.restore !== undefined;
}

const unlessRecovering =
  (period: Period): Period =>
  (settings) =>
    isRecovering(settings) ? undefined : period(settings);

/** Undefined while a setting that controls deletion is invalid. */
const unlessStopped =
  (periodMs: number): Period =>
  ({ isDeletionStopped }) =>
    isDeletionStopped ? undefined : periodMs;

const deleting = <Name extends string>(name: Name, period: Period) => ({
  name,
  periodMs: unlessRecovering(period),
  isDeleting: true as const,
});

export const JOB_SCHEDULE = [
  // Jobs that delete blobs or expire records of repeated requests. The first two only count when their setting requests
  // that or is invalid.
  deleting("collect-garbage", ({ garbageCollection }) => (garbageCollection === "false" ? undefined : HOUR_MS)),
  deleting("scan-orphans", ({ orphanScan }) => (orphanScan === "false" ? undefined : 24 * HOUR_MS)),
  deleting("end-stray-uploads", unlessStopped(24 * HOUR_MS)),
  deleting("lifecycle", (settings) => (settings.lifecycle ? 24 * HOUR_MS : undefined)),
  deleting("forget-tokens", unlessStopped(HOUR_MS)),
  deleting("expire-usage", unlessStopped(24 * HOUR_MS)),
  deleting("purge-events", unlessStopped(HOUR_MS)),
  deleting("purge-annotations", unlessStopped(HOUR_MS)),
  deleting("purge-import-records", unlessStopped(24 * HOUR_MS)),
  { ...deleting("complete-placements", unlessStopped(HOUR_MS)), needsSeveralDatabases: true },
  deleting("compact-packs", unlessStopped(24 * HOUR_MS)),
  // It deletes older backups, which may be needed while deletions are on hold.
  deleting("backup", ({ backupPeriodMs, isDeletionStopped }) => (isDeletionStopped ? undefined : backupPeriodMs)),
  {
    name: "scrub",
    periodMs: ({ scrubBytesPerTick }) => (scrubBytesPerTick > 0 ? 7 * 24 * HOUR_MS : undefined),
    // One blob may have 5 GiB, and a hash cannot continue in another tick.
    isLong: true,
  },
  { name: "deliver-events", periodMs: unlessRecovering(() => 0) },
  { name: "import-objects", periodMs: unlessRecovering(({ upstreams }) => (upstreams.size === 0 ? undefined : 0)) },
  { name: "pack-small-blobs", periodMs: unlessRecovering(() => PACK_PERIOD_MS) },
  // It starts over until no bucket is uncounted. A counted bucket would refuse a restore that exceeds its limits.
  {
    name: "count-quotas",
    periodMs: ({ restore: backupName }) => (backupName === undefined ? FIVE_MINUTES_MS : undefined),
  },
  { name: "build-query-indexes", periodMs: () => FIVE_MINUTES_MS },
  { name: "reseal-secrets", periodMs: ({ masterKeys }) => (masterKeys.length > 1 ? HOUR_MS : undefined) },
  { name: "rebuild", periodMs: ({ rebuild }) => (rebuild ? ONCE : undefined) },
  { name: "restore", periodMs: ({ rebuild, restore }) => (restore !== undefined && !rebuild ? ONCE : undefined) },
] as const satisfies readonly JobPlan[];

export type JobName = (typeof JOB_SCHEDULE)[number]["name"];

/**
 * When a job's next step is due, in milliseconds since the epoch. 0: in the next tick, because the job never ran, is in the
 * middle of a pass, or runs in every tick.
 * {@link ONCE}: never again.
 */
export function nextDueAt(periodMs: number, state: JobState | undefined): number {
  // The row that the first lease inserts has a pass that began at 0, although none did.
  if (state === undefined || state.hasOpenPass || periodMs === 0 || state.passBeganAt === 0) return 0;
  return periodMs === ONCE ? ONCE : (Math.floor(state.passBeganAt / periodMs) + 1) * periodMs;
}

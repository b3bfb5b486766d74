// The scheduled jobs and how often each has a pass.
import type { Settings } from "../config/settings.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { abortOrphanedUploads } from "./abort-orphaned-uploads.ts";
import { expireTokens } from "./expire-tokens.ts";
import { rebuild } from "./rebuild.ts";
import { scanOrphans } from "./scan-orphans.ts";
import { scrub } from "./scrub.ts";
import type { ScheduledJob } from "./job.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import { lifecycle } from "./lifecycle.ts";

const HOUR_MS = 3_600_000;
/** A period that is never over. */
const ONCE = Number.MAX_SAFE_INTEGER;

/** Undefined while a setting that controls deletion cannot be understood. */
const unlessStopped =
  (periodMs: number) =>
  ({ isDeletionStopped }: Settings): number | undefined =>
    isDeletionStopped ? undefined : periodMs;

/**
 * Jobs that delete what people have stored or what was promised to be remembered, which stand still while a lost database
 * is being made again. The first two count without deleting where the settings ask for it or cannot be understood.
 */
const DELETING: readonly ScheduledJob[] = [
  { job: collectGarbage, periodMs: ({ garbageCollection }) => (garbageCollection === "false" ? undefined : HOUR_MS) },
  { job: scanOrphans, periodMs: ({ orphanScan }) => (orphanScan === "false" ? undefined : 24 * HOUR_MS) },
  { job: abortOrphanedUploads, periodMs: unlessStopped(24 * HOUR_MS) },
  { job: lifecycle, periodMs: (settings) => (settings.lifecycle ? 24 * HOUR_MS : undefined) },
  { job: expireTokens, periodMs: unlessStopped(HOUR_MS) },
];

export const SCHEDULE: readonly ScheduledJob[] = [
  ...DELETING.map(({ job, periodMs }) => ({
    job,
    periodMs: (settings: Settings) => (settings.rebuild ? undefined : periodMs(settings)),
  })),
  {
    job: scrub,
    periodMs: ({ scrubBytesPerTick }) => (scrubBytesPerTick > 0 ? 7 * 24 * HOUR_MS : undefined),
    // One blob may have 5 GiB, and its hash cannot be gone on with in another tick.
    isLong: true,
  },
  { job: resealSecrets, periodMs: ({ masterKeys }) => (masterKeys.length > 1 ? HOUR_MS : undefined) },
  { job: rebuild, periodMs: (settings) => (settings.rebuild ? ONCE : undefined) },
];

/**
 * The jobs that may run: all of them, or only those that delete nothing while there is a reason to hold deletions. Long
 * ones run where the schedule's interval is an hour or more.
 */
export function scheduleUnder(hold: string | undefined, cron: string): readonly ScheduledJob[] {
  const jobs = isHourly(cron) ? SCHEDULE : SCHEDULE.filter(({ isLong }) => isLong !== true);
  return hold === undefined ? jobs : jobs.filter(({ job }) => !DELETING.some((deleting) => deleting.job === job));
}

/** Whether a cron pattern comes once an hour or less often: then Cloudflare gives 15 minutes of processor time, else 30 s. */
export function isHourly(cron: string): boolean {
  return /^\s*\d+\s/.test(cron);
}

// The scheduled jobs and their periods.
import type { Settings } from "../config/settings.ts";
import { deliverDueEvents } from "./deliver-events.ts";
import { purgeOldEvents } from "./purge-events.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { abortOrphanedUploads } from "./abort-orphaned-uploads.ts";
import { buildQueryIndexes } from "./build-query-indexes.ts";
import { compactPacks } from "./compact-packs.ts";
import { completePlacements } from "./complete-placements.ts";
import { countQuotas } from "./count-quotas.ts";
import { expireUsage } from "./expire-usage.ts";
import { expireTokens } from "./expire-tokens.ts";
import { backup } from "./backup.ts";
import { PACK_PERIOD_MS, packSmallBlobs } from "./pack-small-blobs.ts";
import { purgeAnnotationsJob } from "./purge-annotations.ts";
import { importObjects } from "./import-objects.ts";
import { purgeImportRecords } from "./purge-import-records.ts";
import { rebuild } from "./rebuild.ts";
import { restore } from "./restore.ts";
import { scanOrphans } from "./scan-orphans.ts";
import { scrub } from "./scrub.ts";
import type { ScheduledJob } from "./job.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import { lifecycle } from "./lifecycle.ts";

const HOUR_MS = 3_600_000;
/** A period that never ends. */
const ONCE = Number.MAX_SAFE_INTEGER;

/** Undefined while a setting that controls deletion is invalid. */
const unlessStopped =
  (periodMs: number) =>
  ({ isDeletionStopped }: Settings): number | undefined =>
    isDeletionStopped ? undefined : periodMs;

/**
 * Jobs that delete blobs or expire records of repeated requests. They pause while a lost database is being rebuilt. The
 * first two only count when their setting requests that or is invalid.
 */
const DELETING: readonly ScheduledJob[] = [
  { job: collectGarbage, periodMs: ({ garbageCollection }) => (garbageCollection === "false" ? undefined : HOUR_MS) },
  { job: scanOrphans, periodMs: ({ orphanScan }) => (orphanScan === "false" ? undefined : 24 * HOUR_MS) },
  { job: abortOrphanedUploads, periodMs: unlessStopped(24 * HOUR_MS) },
  { job: lifecycle, periodMs: (settings) => (settings.lifecycle ? 24 * HOUR_MS : undefined) },
  { job: expireTokens, periodMs: unlessStopped(HOUR_MS) },
  { job: expireUsage, periodMs: unlessStopped(24 * HOUR_MS) },
  { job: purgeOldEvents, periodMs: unlessStopped(HOUR_MS) },
  { job: purgeAnnotationsJob, periodMs: unlessStopped(HOUR_MS) },
  { job: purgeImportRecords, periodMs: unlessStopped(24 * HOUR_MS) },
  { job: completePlacements, periodMs: unlessStopped(HOUR_MS) },
  { job: compactPacks, periodMs: unlessStopped(24 * HOUR_MS) },
  // It deletes older backups, which may be needed while deletions are on hold.
  {
    job: backup,
    periodMs: ({ backupPeriodMs, isDeletionStopped }) => (isDeletionStopped ? undefined : backupPeriodMs),
  },
];

export const SCHEDULE: readonly ScheduledJob[] = [
  ...DELETING.map(({ job, periodMs }) => ({
    job,
    periodMs: (settings: Settings) => (isRecovering(settings) ? undefined : periodMs(settings)),
  })),
  {
    job: scrub,
    periodMs: ({ scrubBytesPerTick }) => (scrubBytesPerTick > 0 ? 7 * 24 * HOUR_MS : undefined),
    // One blob may have 5 GiB, and a hash cannot continue in another tick.
    isLong: true,
  },
  { job: deliverDueEvents, periodMs: (settings) => (isRecovering(settings) ? undefined : 0) },
  {
    job: importObjects,
    periodMs: (settings) => (isRecovering(settings) || settings.upstreams.size === 0 ? undefined : 0),
  },
  { job: packSmallBlobs, periodMs: (settings) => (isRecovering(settings) ? undefined : PACK_PERIOD_MS) },
  // It starts over until no bucket is uncounted. A counted bucket would refuse a restore that exceeds its limits.
  { job: countQuotas, periodMs: ({ restore: backupName }) => (backupName === undefined ? 300_000 : undefined) },
  { job: buildQueryIndexes, periodMs: () => 300_000 },
  { job: resealSecrets, periodMs: ({ masterKeys }) => (masterKeys.length > 1 ? HOUR_MS : undefined) },
  { job: rebuild, periodMs: (settings) => (settings.rebuild ? ONCE : undefined) },
  { job: restore, periodMs: (settings) => (settings.restore !== undefined && !settings.rebuild ? ONCE : undefined) },
];

/** Whether a lost database is being rebuilt or restored. */
function isRecovering(settings: Settings): boolean {
  return settings.rebuild || settings.restore !== undefined;
}

/**
 * The jobs that may run. A deletion hold excludes those that delete. Long jobs need a schedule interval of an hour or
 * more, and the registry of buckets is empty with one database.
 */
export function scheduleUnder(hold: string | undefined, cron: string, areSeveral = false): readonly ScheduledJob[] {
  const jobs = SCHEDULE.filter(
    ({ job, isLong }) => (isLong !== true || isHourly(cron)) && (areSeveral || job !== completePlacements),
  );
  return hold === undefined ? jobs : jobs.filter(({ job }) => !DELETING.some((deleting) => deleting.job === job));
}

/** Whether a cron pattern fires at most once an hour: Cloudflare then grants 15 minutes of CPU time, otherwise 30 s. */
export function isHourly(cron: string): boolean {
  return /^\s*\d+\s/.test(cron);
}

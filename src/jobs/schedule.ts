// The scheduled jobs: each one's work with its place in the schedule.
import { JOB_SCHEDULE, type JobName, type JobPlan } from "../contract/job-schedule.ts";
import { abortOrphanedUploads } from "./abort-orphaned-uploads.ts";
import { backup } from "./backup.ts";
import { buildQueryIndexes } from "./build-query-indexes.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { compactPacks } from "./compact-packs.ts";
import { completePlacements } from "./complete-placements.ts";
import { countQuotas } from "./count-quotas.ts";
import { deliverDueEvents } from "./deliver-events.ts";
import { expireTokens } from "./expire-tokens.ts";
import { expireUsage } from "./expire-usage.ts";
import { importObjects } from "./import-objects.ts";
import type { Job, ScheduledJob } from "./job.ts";
import { lifecycle } from "./lifecycle.ts";
import { packSmallBlobs } from "./pack-small-blobs.ts";
import { purgeAnnotationsJob } from "./purge-annotations.ts";
import { purgeOldEvents } from "./purge-events.ts";
import { purgeImportRecords } from "./purge-import-records.ts";
import { rebuild } from "./rebuild/rebuild.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import { restore } from "./restore.ts";
import { scanOrphans } from "./scan-orphans.ts";
import { scrub } from "./scrub/scrub.ts";

const JOBS: Readonly<Record<JobName, Job>> = {
  "collect-garbage": collectGarbage,
  "scan-orphans": scanOrphans,
  "end-stray-uploads": abortOrphanedUploads,
  lifecycle,
  "forget-tokens": expireTokens,
  "expire-usage": expireUsage,
  "purge-events": purgeOldEvents,
  "purge-annotations": purgeAnnotationsJob,
  "purge-import-records": purgeImportRecords,
  "complete-placements": completePlacements,
  "compact-packs": compactPacks,
  backup,
  scrub,
  "deliver-events": deliverDueEvents,
  "import-objects": importObjects,
  "pack-small-blobs": packSmallBlobs,
  "count-quotas": countQuotas,
  "build-query-indexes": buildQueryIndexes,
  "reseal-secrets": resealSecrets,
  rebuild,
  restore,
};

interface PlannedJob extends ScheduledJob {
  readonly plan: JobPlan;
}

export const SCHEDULE: readonly PlannedJob[] = JOB_SCHEDULE.map((plan) => ({
  job: JOBS[plan.name],
  periodMs: plan.periodMs,
  plan,
}));

/**
 * The jobs that may run. A deletion hold excludes those that delete. Long jobs need a schedule interval of an hour or
 * more, and the registry of buckets is empty with one database.
 */
export function scheduleUnder(hold: string | undefined, cron: string, areSeveral = false): readonly ScheduledJob[] {
  return SCHEDULE.filter(
    ({ plan }) =>
      (plan.isLong !== true || isHourly(cron)) &&
      (plan.needsSeveralDatabases !== true || areSeveral) &&
      (plan.isDeleting !== true || hold === undefined),
  );
}

/** Whether a cron pattern fires at most once an hour: Cloudflare then grants 15 minutes of CPU time, otherwise 30 s. */
export function isHourly(cron: string): boolean {
  return /^\s*\d+\s/.test(cron);
}

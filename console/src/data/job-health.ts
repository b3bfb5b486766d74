// Describes scheduled jobs: whether one is late or failed, and the names of its counts.
import type { JobCount, ScheduledJob } from "../clients/jobs.ts";
import type { TextKey } from "../i18n/en.ts";
import { t } from "../i18n/language.ts";
import { formatBytes, formatCount } from "./formats.ts";

/** Runs are five minutes apart, and an hour for long jobs. */
const LATE_MS = 2 * 3_600_000;

/** Whether a job that may run is overdue. */
export function isLate({ status, nextDueAt }: ScheduledJob, now: number): boolean {
  return status !== "Disabled" && status !== "Held" && nextDueAt !== undefined && now - nextDueAt > LATE_MS;
}

const NAMES: Readonly<Record<string, TextKey>> = {
  "collect-garbage": "jobs.collectGarbage",
  "scan-orphans": "jobs.scanOrphans",
  "end-stray-uploads": "jobs.endUploads",
  lifecycle: "jobs.lifecycle",
  "forget-tokens": "jobs.expireTokens",
  "expire-usage": "jobs.expireUsage",
  "purge-events": "jobs.purgeEvents",
  "purge-annotations": "jobs.purgeAnnotations",
  "purge-import-records": "jobs.purgeImportRecords",
  "complete-placements": "jobs.completePlacements",
  "compact-packs": "jobs.compactPacks",
  backup: "jobs.backup",
  scrub: "jobs.scrub",
  "deliver-events": "jobs.deliverEvents",
  "import-objects": "jobs.importObjects",
  "pack-small-blobs": "jobs.packSmallBlobs",
  "count-quotas": "jobs.countQuotas",
  "build-query-indexes": "jobs.buildQueryIndexes",
  "reseal-secrets": "jobs.resealSecrets",
  rebuild: "jobs.rebuild",
  restore: "jobs.restore",
};

/** What a job does, in a few words. */
export function jobTitle(name: string): string {
  const key = NAMES[name];
  return key === undefined ? name : t(key);
}

const COUNTS: Readonly<Record<string, TextKey>> = {
  seen: "jobs.count.seen",
  objectsRemoved: "jobs.count.objectsRemoved",
  versionsRemoved: "jobs.count.versionsRemoved",
  deleteMarkersMade: "jobs.count.deleteMarkersMade",
  deleteMarkersRemoved: "jobs.count.deleteMarkersRemoved",
  moved: "jobs.count.moved",
  uploadsAborted: "jobs.count.uploadsAborted",
  changedMeanwhile: "jobs.count.changedMeanwhile",
  failed: "jobs.count.failed",
  collected: "jobs.count.collected",
  waiting: "jobs.count.waiting",
  due: "jobs.count.due",
  orphans: "jobs.count.orphans",
  orphanBytes: "jobs.count.orphanBytes",
  strange: "jobs.count.strange",
  deleted: "jobs.count.deleted",
  needed: "jobs.count.needed",
  blobs: "jobs.count.blobs",
  bytes: "jobs.count.bytes",
  skipped: "jobs.count.skipped",
  findings: "jobs.count.findings",
  rows: "jobs.count.rows",
  pages: "jobs.count.pages",
  expired: "jobs.count.expired",
  purged: "jobs.count.purged",
  ended: "jobs.count.uploadsAborted",
  delivered: "jobs.count.delivered",
  retried: "jobs.count.retried",
  dead: "jobs.count.dead",
};

/** The counts of a pass that are not zero; undefined if there is none. */
export function countsText(counts: readonly JobCount[]): string | undefined {
  const texts = counts
    .filter(({ value }) => value !== 0)
    .map(({ name, value }) => {
      const key = COUNTS[name];
      const shown = /bytes$/i.test(name) ? formatBytes(value) : formatCount(value);
      return `${key === undefined ? name : t(key)}: ${shown}`;
    });
  return texts.length === 0 ? undefined : texts.join(" · ");
}

// The scheduled jobs and how often each has a pass.
import { collectGarbage } from "./collect-garbage.ts";
import { endStrayUploads } from "./end-stray-uploads.ts";
import { forgetTokens } from "./forget-tokens.ts";
import { scanOrphans } from "./scan-orphans.ts";
import { scrub } from "./scrub.ts";
import type { ScheduledJob } from "./job.ts";
import { resealSecrets } from "./reseal-secrets.ts";
import { lifecycle } from "./lifecycle.ts";

const HOUR_MS = 3_600_000;

export const SCHEDULE: readonly ScheduledJob[] = [
  { job: collectGarbage, periodMs: ({ garbageCollection }) => (garbageCollection ? 0 : undefined) },
  { job: scanOrphans, periodMs: ({ orphanScan }) => (orphanScan === "false" ? undefined : 24 * HOUR_MS) },
  { job: scrub, periodMs: ({ scrubBytesPerTick }) => (scrubBytesPerTick > 0 ? 7 * 24 * HOUR_MS : undefined) },
  { job: endStrayUploads, periodMs: () => 24 * HOUR_MS },
  { job: lifecycle, periodMs: (settings) => (settings.lifecycle ? 24 * HOUR_MS : undefined) },
  { job: forgetTokens, periodMs: () => HOUR_MS },
  { job: resealSecrets, periodMs: ({ masterKeys }) => (masterKeys.length > 1 ? HOUR_MS : undefined) },
];

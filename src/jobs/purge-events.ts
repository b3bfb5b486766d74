// Purges the events of all buckets once their retention time is over, and all but the newest dead events.
import { lookUpNextEventBucket, purgeEvents } from "../state/metadata/event-retention.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const PAGE_EVENTS = 1000;
export const DEAD_EVENTS_KEPT = 1000;

/** Purges up to 1000 events of one bucket per step. The cursor is the id of the bucket before. */
export const purgeOldEvents: Job = overDatabases({
  name: "purge-events",

  async step({ database, settings, now }, cursor) {
    const after = cursor ?? "";
    const bucketId = await database.look(lookUpNextEventBucket(after));
    if (bucketId === undefined) return { cursor: null, report: {} };
    const before = now - settings.eventRetentionMs;
    const results = await database.batch(purgeEvents(bucketId, before, PAGE_EVENTS, now, DEAD_EVENTS_KEPT));
    const purged = results[3]?.changes ?? 0;
    return { cursor: purged < PAGE_EVENTS ? bucketId : after, report: { purged } };
  },
});

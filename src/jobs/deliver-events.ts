// Delivers the events that no request delivered after its commit, and retries those that a destination did not accept.
import { deliverEvents } from "../notifications/deliver.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const STEP_EVENTS = 50;
const STEP_ROUNDS = 10;
const STEP_MS = 30_000;

/** Delivers up to 50 events in each of 10 rounds per step. */
export const deliverDueEvents: Job = overDatabases({
  name: "deliver-events",

  async step({ database, env, settings, now }, _cursor) {
    const began = Date.now();
    const limits = { events: STEP_EVENTS, rounds: STEP_ROUNDS, until: now + STEP_MS };
    const senders = { env, targets: settings.eventTargets };
    const { hasMore, ...report } = await deliverEvents(database, senders, limits, () => now + Date.now() - began);
    return { cursor: hasMore ? "more" : null, report };
  },
});

// Delivers the events that no request delivered after its commit, and retries those that a destination did not accept.
import { deliverEvents, type DeliveryReport } from "../notifications/deliver.ts";
import type { Job, JobContext } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

const STEP_EVENTS = 50;
const STEP_ROUNDS = 10;
const STEP_MS = 30_000;

export const deliverDueEvents: Job = overDatabases({
  name: "deliver-events",

  async step(context, _cursor) {
    const { hasMore, ...report } = await deliverStep(context);
    return { cursor: hasMore ? "more" : null, report };
  },
});

/** Delivers up to 50 due events in each of 10 rounds. */
export async function deliverStep({ database, env, settings, now }: JobContext): Promise<DeliveryReport> {
  const began = Date.now();
  const limits = { events: STEP_EVENTS, rounds: STEP_ROUNDS, until: now + STEP_MS };
  const senders = { env, targets: settings.eventTargets };
  return deliverEvents(database, senders, limits, () => now + Date.now() - began);
}

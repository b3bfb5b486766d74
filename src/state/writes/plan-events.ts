// Adds the events of a plan to its batch.
import type { EventOrigin } from "../../protocol/buckets/event-record.ts";
import { insertEvents } from "../metadata/bucket-events.ts";
import type { Planner } from "./commit-plans.ts";

/**
 * Makes plans contain the statements of their events, if the bucket asks for them.
 * @param origin undefined: no events
 */
export function withEvents(planner: Planner, origin: EventOrigin | undefined): Planner {
  if (origin === undefined) return planner;
  return (bucket, heads, now, rejected) => {
    const plan = planner(bucket, heads, now, rejected);
    const events = insertEvents(bucket, origin, plan.events, now);
    return events.length === 0 ? plan : { ...plan, statements: [...events, ...plan.statements] };
  };
}

// Imports the objects that reads have found in upstreams and left: large ones, those of which a read asked for a part, and
// those whose copy was cut off.
import { importNextDue } from "../upstream/import-due.ts";
import { deliverStep } from "./deliver-events.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/** Imports one object, or one slice of a large one, per step. After the last one, delivers the events of all. */
export const importObjects: Job = overDatabases({
  name: "import-objects",

  async step(context, cursor) {
    const { database, blobs, coordinators, settings, now } = context;
    const { upstreams } = settings;
    const outcome = await importNextDue({ database, blobs, coordinators, upstreams }, now);
    if (outcome === undefined) {
      // The job that delivers events may have run earlier in this tick.
      if (cursor !== null) await deliverStep(context);
      return { cursor: null, report: {} };
    }
    // A slice takes much of the CPU time of a tick.
    return { cursor: "more", endsTick: outcome === "continued", report: { [outcome]: 1 } };
  },
});

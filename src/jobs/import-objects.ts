// Imports the objects that reads have found in upstreams and left: large ones, those of which a read asked for a part, and
// those whose copy was cut off.
import { importNextDue } from "../upstream/import-due.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/** Imports one object, or one slice of a large one, per step. */
export const importObjects: Job = overDatabases({
  name: "import-objects",

  async step({ database, blobs, coordinators, settings, now }, _cursor) {
    const { upstreams } = settings;
    const outcome = await importNextDue({ database, blobs, coordinators, upstreams }, now);
    if (outcome === undefined) return { cursor: null, report: {} };
    // A slice takes much of the CPU time of a tick.
    return { cursor: "more", endsTick: outcome === "continued", report: { [outcome]: 1 } };
  },
});

// Purges the annotations of purged versions. Their payloads can be large, so the deletion of a version only records
// what this job purges in bounded steps.
import { purgeAnnotations } from "../state/metadata/annotations.ts";
import type { Job } from "./job.ts";
import { overDatabases } from "./over-databases.ts";

/** The annotations and versions of a step. */
const PAGE = 16;

export const purgeAnnotationsJob: Job = overDatabases({
  name: "purge-annotations",

  async step({ database }, _cursor) {
    const [, annotations, versions] = await database.batch(purgeAnnotations(PAGE));
    const purged = annotations?.changes ?? 0;
    const isFull = purged >= PAGE || (versions?.changes ?? 0) >= PAGE;
    return { cursor: isFull ? "more" : null, report: { purged } };
  },
});

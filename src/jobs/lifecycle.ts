// Applies the lifecycle rules of all buckets. A pass visits each bucket with rules once, one page per step. A guard
// covers everything that a rule examined, so concurrent changes win and the next pass evaluates them again. A crash
// repeats at most one page, and its applied actions do not apply twice.
import { lifecycleFromText } from "../protocol/lifecycle/lifecycle.ts";
import { successorOf } from "../bytes/text.ts";
import { lookUpNextBucket } from "../state/lifecycle/lifecycle-pages.ts";
import { WALK_START, walkPage } from "../state/lifecycle/lifecycle-walk.ts";
import type { LifecyclePosition, LifecycleWalk } from "../state/lifecycle/lifecycle-evaluation.ts";
import { purgeTransitions } from "../state/lifecycle/transitions.ts";
import { overDatabases } from "./over-databases.ts";
import type { Job, JobContext, JobStep } from "./job.ts";
import { applyActions } from "./apply-lifecycle-actions.ts";

/** The position of a pass. */
interface Cursor {
  /** A bucket's name, or a text between two names. */
  readonly bucket: string;
  /** The bucket's id. A bucket that was deleted and created again starts from its first page. */
  readonly bucketId: string;
  readonly position: LifecyclePosition;
}

const FIRST: Cursor = { bucket: "", bucketId: "", position: WALK_START };
const PURGED_TRANSITIONS = 1000;

export const lifecycle: Job = overDatabases({
  name: "lifecycle",

  async step(context, text) {
    if (text === null) await context.database.batch([purgeTransitions(PURGED_TRANSITIONS)]);
    const cursor = text === null ? FIRST : readCursor(text);
    const bucket = await context.database.look(lookUpNextBucket(cursor.bucket));
    if (bucket === undefined) return { cursor: null, report: {} };
    const configuration = lifecycleFromText(bucket.configurations.lifecycle);
    if (configuration === undefined) throw new Error(`bucket ${bucket.id} was found by rules that it has not`);
    const position = bucket.id === cursor.bucketId ? cursor.position : WALK_START;
    return walk(context, { database: context.database, bucket, configuration, now: context.now }, position);
  },
});

async function walk(context: JobContext, walk: LifecycleWalk, position: LifecyclePosition): Promise<JobStep> {
  const { name, id } = walk.bucket;
  const page = await walkPage(walk, position);
  const { unfinished, report } = await applyActions(context, walk, page.evaluated);
  const next = unfinished ?? page.next;
  const cursor: Cursor =
    next === undefined ? { ...FIRST, bucket: successorOf(name) } : { bucket: name, bucketId: id, position: next };
  return { cursor: JSON.stringify(cursor), report: { seen: page.examined, ...report } };
}

/** Parses the cursor that an earlier step wrote. */
function readCursor(text: string): Cursor {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(text) as Cursor;
}

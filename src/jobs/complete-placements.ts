// Completes creations and deletions of buckets that a crash has interrupted between the registry and the bucket's
// database, makes their claims of delivery hosts equal to their configurations, and purges old records of deletions. It
// runs only in a deployment with several databases.
import { FIRST_DATABASE } from "../state/d1/database.ts";
import {
  deletePlacement,
  deletePlacementsOf,
  lookUpBucketDeletions,
  lookUpPlacedStates,
  lookUpPlacements,
  purgeBucketDeletions,
} from "../state/metadata/placements.ts";
import { completePlacement } from "../state/writes/bucket-creation.ts";
import { reconcileClaims } from "../state/writes/host-claims.ts";
import { databaseAfter } from "./over-databases.ts";
import type { Job, JobContext, JobStep } from "./job.ts";

const PAGE_PLACEMENTS = 200;
const PAGE_DELETIONS = 500;
/** Longer than a creation takes, so that creations in progress complete by themselves. */
const CREATION_MS = 10 * 60_000;
/** Longer than a late batch of a creation may take to arrive. */
const DELETION_LIFE_MS = 25 * 3_600_000;

type Progress =
  | { readonly phase: "placements"; readonly after: string }
  | { readonly phase: "deletions"; readonly database: string; readonly after: string };

export const completePlacements: Job = {
  name: "complete-placements",

  async step(context, cursor) {
    // A step wrote it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const progress = (cursor === null ? { phase: "placements", after: "" } : JSON.parse(cursor)) as Progress;
    return progress.phase === "placements"
      ? checkPlacements(context, progress.after)
      : purgeDeletions(context, progress.database, progress.after);
  },
};

async function checkPlacements({ databases, now }: JobContext, after: string): Promise<JobStep> {
  const { first } = databases;
  const placements = await first.look(lookUpPlacements(after, PAGE_PLACEMENTS));
  const report = { created: 0, deleted: 0, unbound: 0, claimed: 0, released: 0 };
  for (const [name, placed] of Map.groupBy(placements, ({ database }) => database)) {
    const database = databases.find(name);
    if (database === undefined) {
      report.unbound += placed.length;
      continue;
    }
    const { existing, deleted } = await database.look(lookUpPlacedStates(placed));
    const ended = placed.filter(({ id }) => deleted.has(id));
    await first.batch(ended.map(deletePlacement));
    report.deleted += ended.length;
    const remaining = placed.filter(({ id }) => existing.has(id));
    const { claimed, released } = await reconcileClaims(databases, database, remaining, now - CREATION_MS);
    report.claimed += claimed;
    report.released += released;
    for (const placement of placed) {
      const { id, bucket } = placement;
      if (existing.has(id) || deleted.has(id) || bucket.createdAt > now - CREATION_MS) continue;
      const completed = await completePlacement(databases, placement);
      if (completed !== "again" && "bucket" in completed) report.created += 1;
    }
  }
  const last = placements.length === PAGE_PLACEMENTS ? placements.at(-1) : undefined;
  return {
    cursor: write(
      last === undefined
        ? { phase: "deletions", database: FIRST_DATABASE, after: "" }
        : { phase: "placements", after: last.name },
    ),
    report,
  };
}

/** Deletes the placements first: without its record, an entry of a deleted bucket would complete a creation. */
async function purgeDeletions({ databases, now }: JobContext, name: string, after: string): Promise<JobStep> {
  const database = databases.find(name);
  if (database === undefined) return { cursor: null, report: {} };
  const ids = await database.look(lookUpBucketDeletions(now - DELETION_LIFE_MS, after, PAGE_DELETIONS));
  const last = ids.at(-1);
  if (last !== undefined) {
    await databases.first.batch([deletePlacementsOf(database.name, ids)]);
    await database.batch([purgeBucketDeletions(ids)]);
  }
  const report = { expired: ids.length };
  if (last !== undefined && ids.length === PAGE_DELETIONS) {
    return { cursor: write({ phase: "deletions", database: name, after: last }), report };
  }
  const next = databaseAfter(databases, database);
  return { cursor: next === undefined ? null : write({ phase: "deletions", database: next.name, after: "" }), report };
}

function write(progress: Progress): string {
  return JSON.stringify(progress);
}

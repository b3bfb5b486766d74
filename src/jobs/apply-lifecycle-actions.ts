// Applies the lifecycle actions that the rules require for the versions and uploads of one page.
import { LIFECYCLE_ORIGIN } from "../protocol/buckets/event-record.ts";
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { commitBatch } from "../state/commit/commit.ts";
import { guardRules, type ActionPrecondition } from "../state/commit/lifecycle-guard.ts";
import type {
  EvaluatedEntry,
  EvaluatedObject,
  EvaluatedUpload,
  LifecyclePosition,
  LifecycleWalk,
} from "../state/lifecycle/lifecycle-evaluation.ts";
import { applyTransition, type CopyAllowance } from "../state/lifecycle/transitions.ts";
import { closeUpload, guardUpload, lookUpUpload } from "../state/metadata/uploads.ts";
import type { JobContext } from "./job.ts";

/** The result of a page: counts for the log, and the position at which the next step resumes the page, if it must. */
export interface AppliedActions {
  readonly report: Readonly<Record<string, number>>;
  readonly unfinished: LifecyclePosition | undefined;
}

/** The limits of what one step copies. A single blob may exceed them. */
const STEP_BLOBS = 100;
const STEP_BYTES = 256 * 1024 ** 2;
/** An upload may have 10,000 parts, and one batch ends all of their rows. */
const STEP_UPLOADS = 50;
const CONCURRENT_RETRIES = 8;

/** Applies expirations first, then transitions, then aborts of uploads. */
export async function applyActions(
  context: JobContext,
  walk: LifecycleWalk,
  evaluated: readonly EvaluatedEntry[],
): Promise<AppliedActions> {
  const report: Record<string, number> = {};
  const count = (name: string): void => void (report[name] = (report[name] ?? 0) + 1);
  const objects = evaluated.filter((one) => one.kind !== "upload");
  await expireObjects(
    context,
    walk,
    objects.filter(({ action }) => action.action === "expire"),
    count,
  );
  const transitions = objects.filter(({ action }) => action.action === "transition");
  const uploads = evaluated.filter((one) => one.kind === "upload");
  const unfinished =
    (await transitionObjects(context, walk, transitions, count)) ?? (await abortUploads(context, walk, uploads, count));
  return { report, unfinished };
}

type Count = (name: string) => void;

async function expireObjects(
  context: JobContext,
  walk: LifecycleWalk,
  evaluated: readonly EvaluatedObject[],
  count: Count,
): Promise<void> {
  // Oldest version of a key first: a noncurrent version's action depends on its successor, which must still exist.
  const inOrder = evaluated.toReversed();
  const outcomes = await expire(context, walk, inOrder);
  const changed: EvaluatedObject[] = [];
  for (const [index, one] of inOrder.entries()) {
    const outcome = outcomes[index];
    if (outcome?.isDone === false && outcome.reason === "version changed") changed.push(one);
    else countExpiration(one, outcome, walk, count);
  }
  // A changed version fails the whole batch it shares, so retry each of them alone.
  for (let start = 0; start < changed.length; start += CONCURRENT_RETRIES) {
    const together = changed.slice(start, start + CONCURRENT_RETRIES);
    const retried = await Promise.all(together.map(async (one) => (await expire(context, walk, [one]))[0]));
    for (const [index, one] of together.entries()) countExpiration(one, retried[index], walk, count);
  }
}

/** Deletes current versions and purges all others. The outcomes are in the order of `evaluated`. */
async function expire(
  { coordinators }: JobContext,
  { bucket, configuration }: LifecycleWalk,
  evaluated: readonly EvaluatedObject[],
): Promise<(ChangeOutcome | undefined)[]> {
  const preconditionOf = ({ version }: EvaluatedObject): ActionPrecondition => ({
    revision: configuration.revision,
    version,
  });
  const writers = coordinators.from(LIFECYCLE_ORIGIN);
  const current = evaluated.filter(({ kind }) => kind === "current");
  const others = evaluated.filter(({ kind }) => kind !== "current");
  const [deleted, purged] = await Promise.all([
    writers.delete(
      bucket,
      current.map((one) => ({
        key: one.key,
        observedHead: one.observedHead,
        conditions: {},
        ownerId: bucket.ownerId,
        precondition: preconditionOf(one),
      })),
    ),
    writers.purge(
      bucket,
      others.map((one) => ({
        key: one.key,
        observedHead: one.observedHead,
        conditions: {},
        versionId: one.versionId,
        precondition: preconditionOf(one),
      })),
    ),
  ]);
  const outcomes = new Map<EvaluatedObject, ChangeOutcome | undefined>();
  for (const [index, one] of current.entries()) outcomes.set(one, deleted[index]);
  for (const [index, one] of others.entries()) outcomes.set(one, purged[index]);
  return evaluated.map((one) => outcomes.get(one));
}

function countExpiration(
  { kind }: EvaluatedObject,
  outcome: ChangeOutcome | undefined,
  { bucket }: LifecycleWalk,
  count: Count,
): void {
  if (outcome?.isDone === true) {
    if (kind !== "current") count(kind === "marker" ? "deleteMarkersRemoved" : "versionsRemoved");
    else count(bucket.versioning === null ? "objectsRemoved" : "deleteMarkersMade");
  } else {
    count(outcome?.isDefinite === true ? "changedMeanwhile" : "failed");
  }
}

/** @returns the position at which the next step resumes, if it must */
async function transitionObjects(
  context: JobContext,
  { bucket, configuration, now }: LifecycleWalk,
  evaluated: readonly EvaluatedObject[],
  count: Count,
): Promise<LifecyclePosition | undefined> {
  const allowance: CopyAllowance = { blobs: STEP_BLOBS, bytes: STEP_BYTES };
  for (const [index, { action, version, position }] of evaluated.entries()) {
    if (action.action !== "transition") continue;
    // Every step moves at least one version, so a pass ends with any budget.
    if (index > 0 && (allowance.blobs <= 0 || allowance.bytes <= 0 || context.budget.isSpent())) return position;
    const { revision } = configuration;
    const transition = { bucket, revision, version, storageClass: action.storageClass, now };
    const outcome = await applyTransition(context, transition, allowance).catch(() => "failed" as const);
    if (outcome === "unfinished") return position;
    if (outcome === "moved") count("moved");
    else count(outcome === "version changed" || outcome === "rules changed" ? "changedMeanwhile" : "failed");
  }
  return undefined;
}

/** @returns the position at which the next step resumes, if it must */
async function abortUploads(
  { database, budget }: JobContext,
  { bucket, configuration, now }: LifecycleWalk,
  evaluated: readonly EvaluatedUpload[],
  count: Count,
): Promise<LifecyclePosition | undefined> {
  for (const [index, upload] of evaluated.entries()) {
    if (index > 0 && (index >= STEP_UPLOADS || budget.isSpent())) return upload.position;
    const { key, uploadId } = upload;
    const outcome = await commitBatch(
      database,
      [
        guardUpload(bucket.id, upload, undefined),
        guardRules(bucket, configuration.revision),
        ...closeUpload(bucket.id, upload, [], now),
      ],
      async () => (await database.look(lookUpUpload(bucket.name, key, uploadId))).upload === undefined,
    );
    if (outcome === "applied") count("uploadsAborted");
    else count(outcome === "unknown" ? "failed" : "changedMeanwhile");
  }
  return undefined;
}

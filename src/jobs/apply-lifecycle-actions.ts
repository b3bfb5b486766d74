// Does what lifecycle rules want done with the versions and uploads of one page.
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { commitBatch } from "../state/commit/commit.ts";
import { guardRules, type ActionPrecondition } from "../state/commit/lifecycle-guard.ts";
import type {
  EvaluatedEntry,
  EvaluatedObject,
  EvaluatedUpload,
  LifecyclePosition,
  Walk,
} from "../state/lifecycle/lifecycle-evaluation.ts";
import { applyTransition, type CopyAllowance } from "../state/lifecycle/transitions.ts";
import { closeUpload, guardUpload, lookUpUpload } from "../state/metadata/uploads.ts";
import type { JobContext } from "./job.ts";

/** What became of a page: numbers for the log, and from where on it is to be walked again, if it is. */
export interface AppliedActions {
  readonly report: Readonly<Record<string, number>>;
  readonly unfinished: LifecyclePosition | undefined;
}

/** What a step copies at the most; a single blob may be more. */
const STEP_BLOBS = 100;
const STEP_BYTES = 256 * 1024 ** 2;
/** An upload may have 10,000 parts, whose rows all go in one batch. */
const STEP_UPLOADS = 50;
const RETRIES_AT_ONCE = 8;

/** Carries rulings out. */
export async function applyActions(
  context: JobContext,
  walk: Walk,
  evaluated: readonly EvaluatedEntry[],
): Promise<AppliedActions> {
  const report: Record<string, number> = {};
  const count = (name: string): void => void (report[name] = (report[name] ?? 0) + 1);
  const objects = evaluated.filter((one) => one.kind !== "upload");
  await removeObjects(
    context,
    walk,
    objects.filter(({ action }) => action.action === "remove"),
    count,
  );
  const moves = objects.filter(({ action }) => action.action === "move");
  const uploads = evaluated.filter((one) => one.kind === "upload");
  const unfinished =
    (await moveObjects(context, walk, moves, count)) ?? (await abortUploads(context, walk, uploads, count));
  return { report, unfinished };
}

type Count = (name: string) => void;

async function removeObjects(
  context: JobContext,
  walk: Walk,
  evaluated: readonly EvaluatedObject[],
  count: Count,
): Promise<void> {
  // The oldest of a key first: what is judged by its successor is gone when the successor goes.
  const inOrder = evaluated.toReversed();
  const outcomes = await remove(context, walk, inOrder);
  const changed: EvaluatedObject[] = [];
  for (const [index, one] of inOrder.entries()) {
    const outcome = outcomes[index];
    if (outcome?.isDone === false && outcome.reason === "version changed") changed.push(one);
    else countRemoval(one, outcome, walk, count);
  }
  // One that has changed stops those that go with it in one batch, so each is tried by itself.
  for (let start = 0; start < changed.length; start += RETRIES_AT_ONCE) {
    const together = changed.slice(start, start + RETRIES_AT_ONCE);
    const retried = await Promise.all(together.map(async (one) => (await remove(context, walk, [one]))[0]));
    for (const [index, one] of together.entries()) countRemoval(one, retried[index], walk, count);
  }
}

/** Removes current versions as a deletion does, and all others for good; the outcomes are in the order of the judged. */
async function remove(
  { coordinators }: JobContext,
  { bucket, configuration }: Walk,
  evaluated: readonly EvaluatedObject[],
): Promise<(ChangeOutcome | undefined)[]> {
  const preconditionOf = ({ version }: EvaluatedObject): ActionPrecondition => ({
    revision: configuration.revision,
    version,
  });
  const current = evaluated.filter(({ kind }) => kind === "current");
  const others = evaluated.filter(({ kind }) => kind !== "current");
  const [deleted, removed] = await Promise.all([
    coordinators.delete(
      bucket,
      current.map((one) => ({
        key: one.key,
        observedHead: one.observedHead,
        conditions: {},
        ownerId: bucket.ownerId,
        precondition: preconditionOf(one),
      })),
    ),
    coordinators.purge(
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
  for (const [index, one] of others.entries()) outcomes.set(one, removed[index]);
  return evaluated.map((one) => outcomes.get(one));
}

function countRemoval(
  { kind }: EvaluatedObject,
  outcome: ChangeOutcome | undefined,
  { bucket }: Walk,
  count: Count,
): void {
  if (outcome?.isDone === true) {
    if (kind !== "current") count(kind === "marker" ? "deleteMarkersRemoved" : "versionsRemoved");
    else count(bucket.versioning === null ? "objectsRemoved" : "deleteMarkersMade");
  } else {
    count(outcome?.isDefinite === true ? "changedMeanwhile" : "failed");
  }
}

/** @returns from where on it is to be walked again */
async function moveObjects(
  context: JobContext,
  { bucket, configuration, now }: Walk,
  evaluated: readonly EvaluatedObject[],
  count: Count,
): Promise<LifecyclePosition | undefined> {
  const allowance: CopyAllowance = { blobs: STEP_BLOBS, bytes: STEP_BYTES };
  for (const [index, { action, version, position }] of evaluated.entries()) {
    if (action.action !== "move") continue;
    // Each step moves something, so that a pass comes to its end whatever its budget.
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

/** @returns from where on it is to be walked again */
async function abortUploads(
  { database, budget }: JobContext,
  { bucket, configuration, now }: Walk,
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

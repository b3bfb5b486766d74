// RestoreBucketSnapshot, an operation of Cairn's own (docs/snapshots.md), restores the content that a snapshot shows,
// one page of keys per request. It moves no bytes and purges no version: a key that differs gets a new version with the
// snapshot's content, and a key that the snapshot lacks gets a delete marker.
import { ownerOf } from "../auth/identity/principal.ts";
import { checkMovedAcl } from "../uploads/acl-input.ts";
import type { Context } from "../contract/context.ts";
import { defineOperation } from "../contract/operation.ts";
import { requireObjectNotDenied } from "../uploads/rights.ts";
import { refuseContradictions } from "../protocol/core/contradictions.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import { noSuchSnapshot } from "../protocol/core/snapshot.ts";
import { NO_LOCK } from "../protocol/objects/object-lock.ts";
import { readRestoration, restorationElement, restorationToken } from "../protocol/listings/snapshot-restoration.ts";
import { lookUpBucket, type Bucket } from "../state/metadata/buckets.ts";
import type { ChangeOutcome } from "../state/writes/changes.ts";
import { shareSource, type SourceVersion } from "../state/reads/copy-sources.ts";
import { lookUpBoth } from "../state/d1/database.ts";
import { currentHeads, NO_HEAD, type KeyHead } from "../state/commit/heads.ts";
import { copyVersionAnnotations } from "../state/metadata/annotation-copies.ts";
import { lookUpDifferences, lookUpSnapshotVersions } from "../state/listings/snapshot-differences.ts";
import { lookUpSnapshot } from "../state/snapshots/snapshots.ts";

/** The most keys that one request changes. Each change is a commit of its own. */
const CHANGES_PER_REQUEST = 200;
const CONCURRENT_COMMITS = 10;

export const restoreBucketSnapshot = defineOperation({
  name: "RestoreBucketSnapshot",
  actions: ["s3:RestoreBucketSnapshot"],
  authorizes: "both",
  route: { method: "POST", level: "bucket", query: ["restoreSnapshot"] },
  inputs: { query: ["prefix", "continuation-token"] },
  read: readRestoration,

  lookUp: ({ bucketName, name, prefix, from }) =>
    lookUpBoth(
      lookUpBoth(lookUpBucket(bucketName), lookUpSnapshot(bucketName, name)),
      lookUpDifferences(bucketName, { snapshot: name, prefix, from }),
    ),

  async run(context, input, { bucket, snapshot, differences, last }) {
    if (snapshot === undefined) throw noSuchSnapshot(bucket.name, input.name);
    const page = differences.slice(0, CHANGES_PER_REQUEST);
    const keys = page.map(({ key }) => key);
    const [heads, { sources }] = await Promise.all([
      context.database.look(currentHeads(bucket.id, keys)),
      context.database.look(lookUpSnapshotVersions(bucket.id, page)),
    ]);
    const surplus = page.filter(({ snapshotVersionId }) => snapshotVersionId === undefined).map(({ key }) => key);
    const restored = Array.from(sources.values());
    for (const source of restored) requireObjectNotDenied(context, bucket, source.key, { ...source, ...NO_LOCK });
    for (const key of surplus) requireDeletionNotDenied(context, bucket, key);
    const acls = new Map(restored.map((source) => [source.key, checkMovedAcl(context, bucket, source.key, source)]));
    await refuseContradictions(context.request, context.inputs);
    await restoreVersions(context, bucket, restored, heads, acls);
    await deleteSurplus(context, bucket, surplus, heads);
    const end = differences.length > page.length ? keys.at(-1) : last;
    const nextToken = end === undefined ? undefined : await restorationToken(input, end);
    return { restored: sources.size, deleted: surplus.length, nextToken };
  },

  write: (report, input) => ({ status: 200, headers: {}, body: restorationElement(input, report) }),
});

/** A restoration needs no Allow for each deletion, but an explicit Deny applies. @throws S3Error AccessDenied */
function requireDeletionNotDenied({ access }: Context, bucket: Bucket, key: string): void {
  access.requireNotDenied({ actions: ["s3:DeleteObject"], bucket, bucketName: bucket.name, key });
}

/** Writes new versions that reference the content of the given ones. */
async function restoreVersions(
  { coordinators, now }: Context,
  bucket: Bucket,
  sources: readonly SourceVersion[],
  heads: ReadonlyMap<string, KeyHead>,
  acls: ReadonlyMap<string, string | undefined>,
): Promise<void> {
  for (let start = 0; start < sources.length; start += CONCURRENT_COMMITS) {
    const outcomes = await Promise.all(
      sources.slice(start, start + CONCURRENT_COMMITS).map(async (source) =>
        coordinators.put(bucket, {
          key: source.key,
          observedHead: heads.get(source.key) ?? NO_HEAD,
          conditions: {},
          // As a copy, the new version takes over no lock.
          object: { ...source, ...NO_LOCK, acl: acls.get(source.key) },
          newBlobIds: [],
          before: [shareSource(source)],
          after: [copyVersionAnnotations(source, { bucketId: bucket.id, key: source.key }, now)],
          readKeys: [],
        }),
      ),
    );
    requireDone(outcomes);
  }
}

async function deleteSurplus(
  { coordinators, principal }: Context,
  bucket: Bucket,
  keys: readonly string[],
  heads: ReadonlyMap<string, KeyHead>,
): Promise<void> {
  const ownerId = ownerOf(principal);
  const changes = keys.map((key) => ({ key, observedHead: heads.get(key) ?? NO_HEAD, conditions: {}, ownerId }));
  requireDone(await coordinators.delete(bucket, changes));
}

/**
 * @throws S3Error of the first failed change. Completed changes remain; repeating the request continues with the rest.
 */
function requireDone(outcomes: readonly ChangeOutcome[]): void {
  for (const outcome of outcomes) {
    if (!outcome.isDone) throw new S3Error(outcome.refusal.code, outcome.refusal.fields);
  }
}

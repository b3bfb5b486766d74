// Builds the rows of versions and buckets from recovered blobs, with the locks that the blobs' recovery metadata and the
// lock records have. A bucket with Object Lock is rebuilt with versioning and its locked versions, other buckets without.
import { nextVersionId, timeOfVersion } from "../../protocol/core/version-id.ts";
import { lockOfRecord, objectLockText, protectedUntil } from "../../protocol/objects/object-lock-configuration.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { readProof } from "../../state/metadata/completion-proofs.ts";
import { readBucketLock, readVersionLock } from "../../state/metadata/lock-records.ts";
import type { Statement } from "../../state/d1/database.ts";
import {
  rebuildBucket,
  rebuildManifest,
  rebuildObject,
  rebuildSmallBlobs,
  type RebuiltBucket,
  type VersionPlace,
} from "../../state/repair/rebuilding.ts";
import { isSmallBlobId } from "../../state/blobs/small-blobs.ts";
import { lookUpRecoveredBlobs, type RecoveredObject } from "../../state/repair/recovered-blobs.ts";
import type { JobContext } from "../job.ts";

/** The context of a step on the database that it rebuilds. */
export interface RebuildContext extends JobContext {
  readonly targets: readonly string[];
  readonly done: number;
  /** The registered names of buckets in a further database, by id. */
  readonly names: ReadonlyMap<string, string>;
  /** The stored forms of the Object Lock configurations of the page's buckets, by id. */
  readonly objectLocks: ReadonlyMap<string, string>;
}

type BucketOfBlob = Pick<RecoveredObject, "bucketId" | "bucketName" | "storedAt">;

/** Looks up which of some buckets have Object Lock: those with a record, or with a blob whose metadata has a lock. */
export async function findObjectLocks(
  { blobs }: JobContext,
  found: readonly Pick<RecoveredObject, "bucketId" | "lock">[],
): Promise<ReadonlyMap<string, string>> {
  const locks = new Map<string, string>();
  for (const [bucketId, ofBucket] of Map.groupBy(found, (one) => one.bucketId)) {
    const lock = ofBucket.find((one) => one.lock !== undefined)?.lock;
    const text =
      (await readBucketLock(blobs, bucketId)) ?? (lock && objectLockText({ defaultRetention: lock.default }));
    if (text !== undefined) locks.set(bucketId, text);
  }
  return locks;
}

export function rebuiltBucket(
  { settings, objectLocks }: Pick<RebuildContext, "settings" | "objectLocks">,
  { bucketId, bucketName, storedAt }: BucketOfBlob,
): RebuiltBucket {
  const { accountId: ownerId, region } = settings;
  const objectLock = objectLocks.get(bucketId);
  return { id: bucketId, name: bucketName, ownerId, region, createdAt: storedAt, objectLock };
}

export function bucketOf(context: RebuildContext, of: BucketOfBlob): Statement[] {
  const bucket = rebuiltBucket(context, of);
  return rebuildBucket({ ...bucket, name: context.names.get(bucket.id) ?? bucket.name });
}

/** A version to rebuild: a blob, and what is known of its version. */
interface VersionSource {
  readonly copy: RecoveredObject;
  readonly versionId: string | undefined;
  readonly place: VersionPlace;
}

/** @returns the statements that rebuild a version and its bucket, or why it cannot be rebuilt */
export async function statementsOf(
  context: RebuildContext,
  { copy, versionId, place }: VersionSource,
): Promise<Statement[] | string> {
  const object = await objectOf(context, copy, versionId);
  if (copy.role === "proof") return statementsOfProof(context, copy, object, place);
  const small = copy.packed === undefined ? [] : rebuildSmallBlobs([copy.blobId]);
  return [...bucketOf(context, copy), ...small, ...rebuildObject(copy.bucketId, object, place)];
}

async function statementsOfProof(
  context: RebuildContext,
  copy: RecoveredObject,
  { retention, legalHold, isNullVersion, versionId }: StoredObject,
  place: VersionPlace,
): Promise<Statement[] | string> {
  const { bucketId, blobId, referenceId: manifestId } = copy;
  const proof = await readProof(context.blobs, blobId);
  if (proof === undefined) return "this proof of its newest version cannot be read, so that it shows nothing";
  const blobIds = Array.from(new Set(proof.slices.map((slice) => slice.blobId)));
  const found = await context.database.look(lookUpRecoveredBlobs(blobIds));
  const lacking = proof.slices.find(({ blobId: id, offset, length }) => (found.get(id)?.size ?? -1) < offset + length);
  if (lacking !== undefined) return `its newest version lacks blob ${lacking.blobId}, so that it shows nothing`;
  const foreign = blobIds.filter((id) => `${bucketId}/${found.get(id)?.uploadId ?? ""}` !== manifestId);
  const { slices, parts } = proof;
  const manifest = { manifestId, slices, parts, references: [...blobIds, blobId] };
  const ofProof = { ...proof.object, blobId: undefined, manifestId, isNullVersion, retention, legalHold };
  const object = place === "current" ? ofProof : { ...ofProof, versionId };
  const small = blobIds.some(isSmallBlobId) ? rebuildSmallBlobs(blobIds.filter(isSmallBlobId)) : [];
  return [...bucketOf(context, copy), ...small, ...rebuildManifest(bucketId, object, manifest, foreign, place)];
}

/**
 * A rebuilt bucket is unversioned, because the recovery metadata does not contain its versioning state, unless it has
 * Object Lock, which requires versioning.
 */
async function objectOf(
  { settings, blobs, objectLocks }: RebuildContext,
  copy: RecoveredObject,
  versionId: string | undefined,
): Promise<StoredObject> {
  const { bucketId, key, metadata, tags, encryption, size, etag, blobId, storedAt, lock } = copy;
  const modifiedAt = copy.modifiedAt ?? storedAt;
  const hasObjectLock = objectLocks.has(bucketId);
  const changed = hasObjectLock ? await readVersionLock(blobs, copy) : undefined;
  return {
    ...metadata,
    key,
    size,
    etag,
    tags,
    encryption,
    blobId,
    modifiedAt,
    versionId: versionId ?? nextVersionId(modifiedAt, undefined),
    isNullVersion: !hasObjectLock,
    ownerId: settings.accountId,
    storageClass: "STANDARD",
    manifestId: undefined,
    checksum: undefined,
    acl: undefined,
    ...(changed ?? lockOfRecord(lock, storedAt)),
  };
}

/** An older version that was locked, and the id to rebuild it with. */
export interface LockedVersion {
  readonly copy: RecoveredObject;
  readonly versionId: string;
}

/** The locked versions among older candidates of a key, the newest first. An ended lock counts: clocks may be wrong. */
export async function lockedVersions(
  { blobs, objectLocks }: RebuildContext,
  candidates: readonly RecoveredObject[],
  newestId: string,
): Promise<LockedVersion[]> {
  const locked: LockedVersion[] = [];
  let before = timeOfVersion(newestId);
  for (const copy of candidates.toSorted((one, other) => other.storedAt - one.storedAt)) {
    if (!objectLocks.has(copy.bucketId)) continue;
    const lock = (await readVersionLock(blobs, copy)) ?? lockOfRecord(copy.lock, copy.storedAt);
    if (protectedUntil(lock) === undefined) continue;
    before = Math.min(before - 1, copy.storedAt);
    locked.push({ copy, versionId: copy.versionId ?? nextVersionId(before, undefined) });
  }
  return locked;
}

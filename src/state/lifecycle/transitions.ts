// Transitions versions to the Infrequent Access class. Bytes are first copied into new blobs without references; then
// one batch sets the storage class, references the new blobs and releases the old ones. Readers always find a complete
// object. The proof of several blobs is stored before the batch: its version is committed already, and the batch
// releases the old proof.
import { timeOrderedId } from "../../bytes/random-id.ts";
import { LIFECYCLE_ORIGIN } from "../../protocol/buckets/event-record.ts";
import { recoveryMetadata } from "../../protocol/objects/recovery-metadata.ts";
import { blobStorageClass } from "../../protocol/lifecycle/blob-storage-class.ts";
import { storageClassRank } from "../../protocol/lifecycle/lifecycle.ts";
import { lockRecord } from "../../protocol/objects/object-lock-configuration.ts";
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { ALL_BYTES, type ByteRange } from "../../protocol/core/range.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import { copiedBlobId } from "../blobs/sealed-blobs.ts";
import { insertEvents, versionEvent } from "../metadata/bucket-events.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { proofIdOf, storeProof } from "../metadata/completion-proofs.ts";
import { commitBatch, guardBlobs, type CommitOutcome } from "../commit/commit.ts";
import { referenceOf } from "../reads/copy-sources.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "../metadata/blob-references.ts";
import { guardPreconditions, type EvaluatedVersion } from "../commit/lifecycle-guard.ts";
import { partsFromRows, selectParts, selectSlices, slicesFromRows } from "../metadata/manifest-reads.ts";
import { insertManifest, type Slice } from "../metadata/manifests.ts";
import { lookUpVersion, manifestOf, type VersionFacts } from "../metadata/objects.ts";

/** A version to transition, as it was evaluated. */
export interface Transition {
  readonly bucket: Bucket;
  readonly revision: string;
  readonly version: EvaluatedVersion;
  readonly storageClass: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The remaining budget of blobs and bytes to copy. A copy of any size may begin while both are positive. */
export interface CopyAllowance {
  blobs: number;
  bytes: number;
}

/** The outcome of a transition. `unfinished`: the next call resumes it. `missing`: a blob of the version is missing. */
export type TransitionOutcome = "moved" | "unfinished" | "missing" | CommitOutcome;

interface Tools {
  readonly database: Database;
  readonly blobs: BlobStore;
}

/** A transition whose bytes are being copied. */
interface Progress {
  readonly transitionId: string;
  /** The number of slices, from the first on, that are not copied yet. */
  readonly slicesLeft: number;
}

interface TransitionFacts extends VersionFacts {
  readonly slices: readonly Slice[];
  readonly parts: readonly ObjectPart[];
  readonly progress: (Progress & { readonly referenceId: string }) | undefined;
}

/** Transitions a version, within a budget of copies. */
export async function applyTransition(
  tools: Tools,
  transition: Transition,
  allowance: CopyAllowance,
): Promise<TransitionOutcome> {
  const { bucket, version } = transition;
  const facts = await tools.database.look(lookUpTransition(bucket, version));
  const { object } = facts;
  if (object === undefined || facts.bucket?.id !== bucket.id) return "version changed";
  if (storageClassRank(object.storageClass) >= storageClassRank(transition.storageClass)) return "version changed";
  const referenceId = referenceOf(object);
  // The bytes are in the Infrequent Access class already.
  if (blobStorageClass(object.storageClass) === "InfrequentAccess") {
    return commit(tools.database, transition, object, { blobId: object.blobId, manifestId: object.manifestId }, []);
  }
  const known = facts.progress?.referenceId === referenceId ? facts.progress : undefined;
  const sources = sourcesOf(object, facts.slices);
  const progress = known ?? { transitionId: newTransitionId(object, transition.now), slicesLeft: sources.length };
  for (let slicesLeft = progress.slicesLeft; slicesLeft > 0; slicesLeft -= 1) {
    const number = slicesLeft - 1;
    const source = sources[number];
    if (source === undefined) break;
    if (allowance.blobs <= 0 || allowance.bytes <= 0) {
      await tools.database.batch([saveProgress(transition, referenceId, { ...progress, slicesLeft })]);
      return "unfinished";
    }
    allowance.blobs -= 1;
    allowance.bytes -= source.length;
    const copied = await tools.blobs.copyToInfrequentAccess({
      sourceId: source.blobId,
      range: rangeOf(object, source),
      blobId: newBlobId(bucket, object, progress, number, source),
      recoveryMetadata: recoveryMetadataOf(bucket, object, progress, number),
    });
    if (!copied) return "missing";
  }
  return finish(tools, transition, object, facts, progress);
}

async function finish(
  { database, blobs }: Tools,
  transition: Transition,
  object: StoredObject,
  facts: TransitionFacts,
  progress: Progress,
): Promise<TransitionOutcome> {
  const { bucket } = transition;
  const blobIds = sourcesOf(object, facts.slices).map((source, number) =>
    newBlobId(bucket, object, progress, number, source),
  );
  const before = [guardBlobs(blobIds)];
  if (object.manifestId === undefined) {
    return commit(database, transition, object, { blobId: blobIds[0], manifestId: undefined }, before);
  }
  const manifestId = `${bucket.id}/${progress.transitionId}`;
  const slices = facts.slices.map((slice, number) => ({
    ...slice,
    blobId: blobIds[number] ?? "",
    offset: rangeOf(object, slice) === undefined ? slice.offset : 0,
  }));
  const { parts } = facts;
  const manifest = { manifestId, slices, parts, references: [...blobIds, proofIdOf(manifestId)] };
  const moved = { ...object, blobId: undefined, manifestId, storageClass: transition.storageClass };
  const observedHead = { versionId: object.versionId, referenceId: referenceOf(object) };
  await storeProof(blobs, bucket, { object: moved, slices, parts }, observedHead);
  return commit(database, transition, object, { blobId: undefined, manifestId }, [
    ...before,
    ...insertManifest(manifest),
  ]);
}

type BlobReference = Pick<StoredObject, "blobId" | "manifestId">;

async function commit(
  database: Database,
  { bucket, revision, version, storageClass, now }: Transition,
  object: StoredObject,
  { blobId, manifestId }: BlobReference,
  before: readonly Statement[],
): Promise<TransitionOutcome> {
  const { key, versionId } = object;
  const oldReference = referenceOf(object);
  const evaluated: EvaluatedVersion = { key, versionId, tags: version.tags, place: "any", referenceId: oldReference };
  const isMoved = (blobId ?? manifestId) !== oldReference;
  const outcome = await commitBatch(
    database,
    [
      ...guardPreconditions(bucket, [{ revision, version: evaluated }]),
      ...before,
      ...insertEvents(bucket, LIFECYCLE_ORIGIN, [versionEvent("transitioned", object, { storageClass })], now),
      ...(isMoved ? [releaseReferences(now, "SELECT value AS id FROM json_each(?1)", [oldReference])] : []),
      ...(["objects", "versions"] as const).map((table) =>
        statement(
          `UPDATE ${table} SET blob_id = ?4, manifest_id = ?5, storage_class = ?6
           WHERE bucket_id = ?1 AND key = ?2 AND version_id = ?3`,
          bucket.id,
          key,
          versionId,
          blobId ?? null,
          manifestId ?? null,
          storageClass,
        ),
      ),
      statement(
        `DELETE FROM storage_class_transitions WHERE bucket_id = ? AND key = ? AND version_id = ?`,
        bucket.id,
        key,
        versionId,
      ),
    ],
    async () => {
      const { object: found } = await database.look(lookUpVersion(bucket.name, key, versionId));
      return found?.storageClass === storageClass && found.blobId === blobId && found.manifestId === manifestId;
    },
  );
  return outcome === "applied" ? "moved" : outcome;
}

/** Returns the ranges that become one new blob each: the slices of a manifest, or the one whole blob. */
function sourcesOf(object: StoredObject, slices: readonly Slice[]): readonly Slice[] {
  if (object.blobId === undefined) return slices;
  return [{ start: 0, blobId: object.blobId, offset: 0, length: object.size }];
}

/** Returns the range to copy; undefined (the whole blob) for encrypted and for empty slices. */
function rangeOf({ encryption }: StoredObject, { offset, length }: Slice): ByteRange | undefined {
  return encryption !== undefined || length === 0 ? undefined : { offset, length };
}

function newBlobId(
  bucket: Bucket,
  { blobId }: StoredObject,
  { transitionId }: Progress,
  number: number,
  source: Slice,
): string {
  const newId = `${bucket.id}/${transitionId}${blobId === undefined ? `-${number + 1}` : ""}`;
  return transitionId.endsWith(SEALED_MARK) ? copiedBlobId(newId, source.blobId) : newId;
}

/**
 * The suffix of a transition id whose encrypted blobs get ids that contain the ids under which they were sealed.
 * Transitions that older releases started lack it and continue without.
 */
const SEALED_MARK = "x";

function newTransitionId({ encryption }: StoredObject, now: number): string {
  return timeOrderedId(now) + (encryption === undefined ? "" : SEALED_MARK);
}

/** Returns a new blob's recovery metadata. Slices carry an upload id, through which their manifest is found. */
function recoveryMetadataOf(
  bucket: Bucket,
  object: StoredObject,
  { transitionId }: Progress,
  number: number,
): Record<string, string> {
  const { key, versionId, tags, encryption, contentType, systemMetadata, userMetadata, modifiedAt } = object;
  const metadata = { contentType, systemMetadata, userMetadata };
  const lock = lockRecord(object, bucket.configurations.object_lock);
  const content = { bucketId: bucket.id, bucketName: bucket.name, key, metadata, tags, encryption, lock, modifiedAt };
  // Old and new blob name the same version, so a rebuild recognises them as one.
  const fields = { ...content, versionId, seen: { versionId, referenceId: referenceOf(object) } };
  if (object.blobId !== undefined) return recoveryMetadata(fields);
  return recoveryMetadata({ ...fields, role: "slice", uploadId: transitionId, partNumber: number + 1 });
}

function lookUpTransition(bucket: Bucket, { key, versionId }: EvaluatedVersion): Lookup<TransitionFacts> {
  const version = lookUpVersion(bucket.name, key, versionId);
  const manifest = manifestOf(bucket.name, key, versionId);
  interface ProgressRow {
    readonly transition_id: string;
    readonly holding_id: string;
    readonly slices_left: number;
  }
  return {
    statements: [
      ...version.statements,
      selectSlices(manifest, ALL_BYTES),
      selectParts(manifest, { kind: "all" }),
      statement(
        `SELECT transition_id, holding_id, slices_left FROM storage_class_transitions
         WHERE bucket_id = ? AND key = ? AND version_id = ?`,
        bucket.id,
        key,
        versionId,
      ),
    ],
    read: (results) => {
      const row = rowsOf<ProgressRow>(results, results.length - 1)[0];
      return {
        ...version.read(results.slice(0, -3)),
        slices: slicesFromRows(results.at(-3)?.rows ?? []),
        parts: partsFromRows(results.at(-2)?.rows ?? []),
        progress:
          row === undefined
            ? undefined
            : { transitionId: row.transition_id, referenceId: row.holding_id, slicesLeft: row.slices_left },
      };
    },
  };
}

function saveProgress(
  { bucket, version, storageClass }: Transition,
  referenceId: string,
  { transitionId, slicesLeft }: Progress,
): Statement {
  return statement(
    `INSERT INTO storage_class_transitions (bucket_id, key, version_id, transition_id, holding_id, storage_class, slices_left)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
     ON CONFLICT DO UPDATE SET transition_id = ?4, holding_id = ?5, storage_class = ?6, slices_left = ?7`,
    bucket.id,
    version.key,
    version.versionId,
    transitionId,
    referenceId,
    storageClass,
    slicesLeft,
  );
}

/**
 * Purges at most `limit` unfinished transitions; the orphan scan collects their blobs. A pass finishes what it starts,
 * so leftovers at its start belong to versions that are purged or unreadable.
 */
export function purgeTransitions(limit: number): Statement {
  return statement(
    `DELETE FROM storage_class_transitions WHERE (bucket_id, key, version_id) IN (
       SELECT bucket_id, key, version_id FROM storage_class_transitions LIMIT ?)`,
    limit,
  );
}

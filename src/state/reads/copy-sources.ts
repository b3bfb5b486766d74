// The source of a copy: its lookup, its errors, and the guard that it is unchanged at the commit.
import type { CopySource } from "../../protocol/objects/copying.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { noSuchSnapshot } from "../../protocol/core/snapshot.ts";
import { shownVersionId, type StoredObject } from "../../protocol/objects/stored-object.ts";
import { lookUpBoth, type Lookup, type Statement } from "../d1/database.ts";
import { listStatement } from "../d1/joined-statements.ts";
import type { HeadsFacts } from "../commit/heads.ts";
import { lookUpTransfer } from "./transfer-lookup.ts";
import { addReferenceIf } from "../metadata/blob-references.ts";
import type { VersionFacts } from "../metadata/objects.ts";
import { lookUpNamed } from "../snapshots/snapshot-reads.ts";
import { lookUpSnapshot, type Snapshot } from "../snapshots/snapshots.ts";

/** A version that is copied from. */
export interface SourceVersion extends StoredObject {
  readonly bucketId: string;
  readonly isInVersionedBucket: boolean;
  /** The blob or manifest to which a copy adds a reference. */
  readonly referenceId: string;
}

/** The facts about a source: the version, and the snapshot if the source names one. */
export interface SourceFacts extends VersionFacts {
  /** The source's key, or its literal form if only that exists. */
  readonly key: string;
  readonly snapshot?: Snapshot | undefined;
}

/** Looks up a source, under a property that does not clash with the facts of the destination. */
export function lookUpSource(source: CopySource): Lookup<{ readonly source: SourceFacts }> {
  const { bucketName, snapshot } = source;
  const version = lookUpCandidates(source);
  const { statements, read }: Lookup<SourceFacts> =
    snapshot === undefined ? version : lookUpBoth(version, lookUpSnapshot(bucketName, snapshot));
  return {
    // The source's bucket may be in another database than the destination's.
    statements: statements.map(({ sql, parameters }) => ({ sql, parameters, bucketName })),
    read: (results) => ({ source: read(results) }),
  };
}

/** The bucket, the head of the destination, and the source of a copy. */
export interface CopyFacts extends HeadsFacts {
  readonly source: SourceFacts;
  /** Whether any version of the source's key has annotations. */
  readonly isAnnotated: boolean;
}

/** Looks up the current version of a key as the source of a copy in its own bucket, and the destination. */
export function lookUpCopyWithin(bucketName: string, key: string, destination: string): Lookup<CopyFacts> {
  const { statements, read } = lookUpTransfer(bucketName, [key], destination);
  return {
    statements,
    read(results) {
      const { bucket, heads, object, isAnnotated } = read(results);
      return { bucket, heads, isAnnotated, source: { bucket, key, object, deleteMarker: undefined } };
    },
  };
}

/** Looks up both keys that a source with a plus sign may mean. */
function lookUpCandidates(source: CopySource): Lookup<VersionFacts & { readonly key: string }> {
  const { key, literalKey } = source;
  const version = lookUpNamed(source);
  const count = version.statements.length;
  const literal = literalKey === undefined ? undefined : lookUpNamed({ ...source, key: literalKey });
  return {
    statements: [...version.statements, ...(literal?.statements ?? [])],
    read(results) {
      const facts = version.read(results.slice(0, count));
      const ofLiteral = facts.object === undefined ? literal?.read(results.slice(count)) : undefined;
      const isLiteral = ofLiteral?.object !== undefined;
      return isLiteral ? { ...ofLiteral, key: literalKey ?? key } : { ...facts, key };
    },
  };
}

/**
 * Returns the version to copy.
 * @throws S3Error NoSuchBucket, AccessDenied for another owner's bucket than expected, NoSuchSnapshot, NoSuchKey,
 *   NoSuchVersion, InvalidRequest for a delete marker by its id
 */
export function requireSource(
  { bucketName, snapshot, versionId, expectedOwner }: CopySource,
  facts: SourceFacts,
): SourceVersion {
  const { bucket, key, object, deleteMarker } = facts;
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucketName });
  if (expectedOwner !== undefined && bucket.ownerId !== expectedOwner) throw new S3Error("AccessDenied");
  if (snapshot !== undefined && facts.snapshot === undefined) throw noSuchSnapshot(bucketName, snapshot);
  if (object === undefined) {
    if (versionId === undefined) throw new S3Error("NoSuchKey", { Key: key });
    if (deleteMarker === undefined) throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
    const message = "The source of a copy request may not specifically refer to a delete marker by version id.";
    throw new S3Error("InvalidRequest", {}, message);
  }
  return {
    ...object,
    bucketId: bucket.id,
    isInVersionedBucket: bucket.versioning !== null,
    referenceId: referenceOf(object),
  };
}

/** Returns the blob or manifest of a version. */
export function referenceOf(version: StoredObject): string {
  const referenceId = version.blobId ?? version.manifestId;
  if (referenceId === undefined) throw new Error(`version ${shownVersionId(version)} has no blob and no manifest`);
  return referenceId;
}

type GuardedSource = Pick<SourceVersion, "bucketId" | "key" | "versionId" | "referenceId">;

/** Aborts the batch unless the source still exists and has the same blob or manifest. */
export function guardSource({ bucketId, key, versionId, referenceId }: GuardedSource): Statement {
  return listStatement(
    `INSERT INTO source_guard (bucket_id, key, version_id, holding_id)
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`,
    [[bucketId, key, versionId, referenceId]],
  );
}

const OF_SOURCE = `bucket_id = value ->> 0 AND key = value ->> 1 AND version_id = value ->> 2
  AND coalesce(blob_id, manifest_id) = value ->> 3`;

/** Adds a reference to the source's blob or manifest; aborts the batch like {@link guardSource}. */
export function shareSource({ bucketId, key, versionId, referenceId }: GuardedSource): Statement {
  return addReferenceIf(
    `EXISTS (SELECT 1 FROM objects WHERE ${OF_SOURCE}) OR EXISTS (SELECT 1 FROM versions WHERE ${OF_SOURCE})`,
    "value ->> 3",
    [bucketId, key, versionId, referenceId],
  );
}

// The source of a copy: looked up beside the copy's own facts, and guarded until the copy is committed.
import type { CopySource } from "../../protocol/objects/copying.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import { noSuchSnapshot } from "../../protocol/core/snapshot.ts";
import { shownVersionId, type StoredObject } from "../../protocol/objects/stored-object.ts";
import { lookUpBoth, statement, type Lookup, type Statement } from "../d1/database.ts";
import type { VersionFacts } from "../metadata/objects.ts";
import { lookUpNamed } from "../snapshots/snapshot-reads.ts";
import { lookUpSnapshot, type Snapshot } from "../snapshots/snapshots.ts";

/** A version that is copied from. */
export interface SourceVersion extends StoredObject {
  readonly bucketId: string;
  readonly isInVersionedBucket: boolean;
  /** The blob or manifest that a copy of it holds too. */
  readonly referenceId: string;
}

/** What is known of a source: the version, and the snapshot where one is copied from. */
export interface SourceFacts extends VersionFacts {
  /** The key that is meant: the source's, or its literal one where only that is there. */
  readonly key: string;
  readonly snapshot?: Snapshot | undefined;
}

/** Looks a source up, under a name that does not clash with the facts of the destination. */
export function lookUpSource(source: CopySource): Lookup<{ readonly source: SourceFacts }> {
  const version = lookUpCandidates(source);
  if (source.snapshot === undefined) {
    return { statements: version.statements, read: (results) => ({ source: version.read(results) }) };
  }
  const { statements, read } = lookUpBoth(version, lookUpSnapshot(source.bucketName, source.snapshot));
  return { statements, read: (results) => ({ source: read(results) }) };
}

/** Looks up both keys that a source with a plus may mean. */
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
 * The version that a copy means.
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

/** The blob or manifest that a version holds. */
export function referenceOf(version: StoredObject): string {
  const referenceId = version.blobId ?? version.manifestId;
  if (referenceId === undefined) throw new Error(`version ${shownVersionId(version)} holds nothing`);
  return referenceId;
}

/** The statement that aborts its batch unless the source is still there and holds what it was seen to hold. */
export function guardSource({
  bucketId,
  key,
  versionId,
  referenceId,
}: Pick<SourceVersion, "bucketId" | "key" | "versionId" | "referenceId">): Statement {
  return statement(
    `INSERT INTO source_guard (bucket_id, key, version_id, holding_id) VALUES (?, ?, ?, ?)`,
    bucketId,
    key,
    versionId,
    referenceId,
  );
}

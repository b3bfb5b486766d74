// The source of a copy: looked up beside the copy's own facts, and guarded until the copy is committed.
import type { CopySource } from "../protocol/copying.ts";
import { S3Error } from "../protocol/s3-error.ts";
import { shownVersionId, type StoredObject } from "../protocol/stored-object.ts";
import { statement, type Lookup, type Statement } from "./database.ts";
import { lookUpVersion, type VersionFacts } from "./objects.ts";

/** A version that is copied from. */
export interface SourceVersion extends StoredObject {
  readonly bucketId: string;
  readonly isInVersionedBucket: boolean;
  /** The blob or manifest that a copy of it holds too. */
  readonly holdingId: string;
}

/** Looks a source up, under a name that does not clash with the facts of the destination. */
export function lookUpSource(source: CopySource): Lookup<{ readonly source: VersionFacts }> {
  const { statements, read } = lookUpVersion(source.bucketName, source.key, source.versionId);
  return { statements, read: (results) => ({ source: read(results) }) };
}

/**
 * The version that a copy means.
 * @throws S3Error NoSuchBucket, AccessDenied for another owner's bucket than expected, NoSuchKey, NoSuchVersion, InvalidRequest for a delete marker by its id
 */
export function requireSource(
  { bucketName, key, versionId, expectedOwner }: CopySource,
  facts: VersionFacts,
): SourceVersion {
  const { bucket, object, deleteMarker } = facts;
  if (bucket === undefined) throw new S3Error("NoSuchBucket", { BucketName: bucketName });
  if (expectedOwner !== undefined && bucket.ownerId !== expectedOwner) throw new S3Error("AccessDenied");
  if (object === undefined) {
    if (versionId === undefined) throw new S3Error("NoSuchKey", { Key: key });
    if (deleteMarker === undefined) throw new S3Error("NoSuchVersion", { Key: key, VersionId: versionId });
    const message = "The source of a copy request may not specifically refer to a delete marker by version id.";
    throw new S3Error("InvalidRequest", {}, message);
  }
  const holdingId = object.blobId ?? object.manifestId;
  if (holdingId === undefined) throw new Error(`version ${shownVersionId(object)} holds nothing`);
  return { ...object, bucketId: bucket.id, isInVersionedBucket: bucket.versioning !== null, holdingId };
}

/** The statement that aborts its batch unless the source is still there, and with it whatever it holds. */
export function guardSource({ bucketId, key, versionId }: SourceVersion): Statement {
  return statement(`INSERT INTO source_guard (bucket_id, key, version_id) VALUES (?, ?, ?)`, bucketId, key, versionId);
}

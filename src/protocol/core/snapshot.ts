// Names and addresses of bucket snapshots. A snapshot is addressed like a bucket, as `bucket_snapshot`: bucket names
// contain no underscore, and the name checks of clients accept one, unlike an `@`.
import { invalidArgument, S3Error } from "./s3-error.ts";

const BUCKET_AND_SNAPSHOT = /^(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])_(?<snapshot>[a-z0-9-]{1,63})$/;

/** The most snapshots that a bucket may have. */
export const MAX_SNAPSHOTS = 100;

/** A bucket, or one of its snapshots. */
export interface BucketAddress {
  readonly bucket: string;
  /** Undefined for the bucket itself. */
  readonly snapshot?: string;
}

/** Splits a snapshot's address into bucket and snapshot; any other name is returned as the bucket. */
export function splitSnapshot(name: string): BucketAddress {
  const { bucket, snapshot } = BUCKET_AND_SNAPSHOT.exec(name)?.groups ?? {};
  return bucket === undefined || snapshot === undefined ? { bucket: name } : { bucket, snapshot };
}

/** The name of a snapshot, or of the bucket, where S3 expects a bucket name. */
export function addressOfSnapshot(bucket: string, snapshot: string | undefined): string {
  return snapshot === undefined ? bucket : `${bucket}_${snapshot}`;
}

/** @throws S3Error InvalidArgument unless the name is 1 to 63 lower-case letters, digits and hyphens */
export function checkSnapshotName(name: string): void {
  if (/^[a-z0-9-]{1,63}$/.test(name)) return;
  throw invalidArgument(
    "snapshot",
    name,
    "A snapshot's name is made of 1 to 63 lower-case letters, digits and hyphens.",
  );
}

/** 400 for a version id on a snapshot, which contains one version of each key. */
export function versionIdOnSnapshot(): S3Error {
  return new S3Error(
    "InvalidRequest",
    {},
    "A snapshot shows one version of each key: a version cannot be named in it.",
  );
}

/** 404 for a snapshot that does not exist. */
export function noSuchSnapshot(bucket: string, snapshot: string): S3Error {
  return new S3Error("NoSuchSnapshot", { BucketName: bucket, SnapshotName: snapshot });
}

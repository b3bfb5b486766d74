// Snapshots of buckets as clients see them: what they are called and how they are addressed. A snapshot is addressed
// as a bucket is, by `bucket_snapshot`: no bucket's name holds an underscore, and every client's check of names lets it
// pass, which it would not an `@`.
import { invalidArgument, S3Error } from "./s3-error.ts";

const BUCKET_AND_SNAPSHOT = /^(?<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])_(?<snapshot>[a-z0-9-]{1,63})$/;

/** The most snapshots that a bucket may have. */
export const MAX_SNAPSHOTS = 100;

/** A bucket, or one of its snapshots. */
export interface BucketAddress {
  readonly bucket: string;
  /** Undefined where the bucket itself is meant. */
  readonly snapshot?: string;
}

/** Takes the name of a bucket, or of one of its snapshots, apart; what is neither is left as it is. */
export function splitSnapshot(name: string): BucketAddress {
  const { bucket, snapshot } = BUCKET_AND_SNAPSHOT.exec(name)?.groups ?? {};
  return bucket === undefined || snapshot === undefined ? { bucket: name } : { bucket, snapshot };
}

/** What a snapshot is called where a bucket's name is asked for. */
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

/** What is wrong with naming a version beside a snapshot, which has one of each key. */
export function versionOfSnapshot(): S3Error {
  return new S3Error(
    "InvalidRequest",
    {},
    "A snapshot shows one version of each key: a version cannot be named in it.",
  );
}

/** 404 for a snapshot that a bucket does not have. */
export function noSuchSnapshot(bucket: string, snapshot: string): S3Error {
  return new S3Error("NoSuchSnapshot", { BucketName: bucket, SnapshotName: snapshot });
}

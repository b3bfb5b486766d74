// Requests that address a snapshot of a bucket: which operations they may ask for, and whether the snapshot is there.
import { addressedSnapshot, type Address } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { addressOfSnapshot, noSuchSnapshot } from "../protocol/core/snapshot.ts";
import type { Lookup } from "../state/d1/database.ts";
import { lookUpSnapshot } from "../state/snapshots/snapshots.ts";

/**
 * Looks the snapshot up that is addressed, if one is.
 * @returns the error that says that it is not there; undefined where it is, or the bucket itself is addressed
 */
export function lookUpAddressedSnapshot(address: Address): Lookup<S3Error | undefined> {
  const name = addressedSnapshot(address);
  if (address.level === "service" || name === undefined) return { statements: [], read: () => undefined };
  const { statements, read } = lookUpSnapshot(address.bucket, name);
  return {
    statements,
    read: (results) => (read(results).snapshot === undefined ? noSuchSnapshot(address.bucket, name) : undefined),
  };
}

/** @throws S3Error MethodNotAllowed where a snapshot is addressed */
export function refuseSnapshot(operation: string, { method, address }: S3Request): void {
  if (addressedSnapshot(address) === undefined) return;
  const fields = { Method: method, ResourceType: "SNAPSHOT" };
  const message = `A snapshot can be listed, and its objects can be read; ${operation} can be asked only of the bucket.`;
  throw new S3Error("MethodNotAllowed", fields, message, { Allow: "GET, HEAD" });
}

/** @throws S3Error InvalidBucketName where what is to be the name of a new bucket is a snapshot's */
export function refuseSnapshotName({ address }: S3Request): void {
  if (address.level === "service" || address.snapshot === undefined) return;
  throw new S3Error("InvalidBucketName", { BucketName: addressOfSnapshot(address.bucket, address.snapshot) });
}

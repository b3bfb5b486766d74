// Checks requests that address a snapshot: whether the operation accepts one and whether the snapshot exists.
import { addressedSnapshot, type Address } from "../protocol/core/addressing.ts";
import { S3Error } from "../protocol/core/s3-error.ts";
import type { S3Request } from "../protocol/core/s3-request.ts";
import { addressOfSnapshot, noSuchSnapshot } from "../protocol/core/snapshot.ts";
import type { Lookup } from "../state/d1/database.ts";
import { lookUpSnapshot } from "../state/snapshots/snapshots.ts";

/**
 * Looks up the snapshot that the request addresses, if any.
 * @returns the error for a snapshot that does not exist; otherwise undefined
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

/** @throws S3Error MethodNotAllowed when the request addresses a snapshot */
export function refuseSnapshot(operation: string, { method, address }: S3Request): void {
  if (addressedSnapshot(address) === undefined) return;
  const fields = { Method: method, ResourceType: "SNAPSHOT" };
  const message = `A snapshot can be listed, and its objects can be read; ${operation} can be asked only of the bucket.`;
  throw new S3Error("MethodNotAllowed", fields, message, { Allow: "GET, HEAD" });
}

/** @throws S3Error InvalidBucketName when the new bucket's name is a snapshot address */
export function refuseSnapshotName({ address }: S3Request): void {
  if (address.level === "service" || address.snapshot === undefined) return;
  throw new S3Error("InvalidBucketName", { BucketName: addressOfSnapshot(address.bucket, address.snapshot) });
}

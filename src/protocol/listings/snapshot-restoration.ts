// The request and response of restoring a bucket to a snapshot.
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import { addressedBucket } from "../core/addressing.ts";
import { makeToken, pageAfter, readToken } from "./listing.ts";
import { S3_NAMESPACE } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { checkSnapshotName } from "../core/snapshot.ts";

/** One request's share of a restoration. */
export interface Restoration {
  readonly bucketName: string;
  readonly name: string;
  readonly prefix: string;
  /** The first key to examine, or a text that sorts before it. */
  readonly from: string;
}

/** The result of one request. */
export interface RestorationReport {
  /** The number of keys that have the snapshot's version again. */
  readonly restored: number;
  /** The number of deleted keys, which do not exist in the snapshot. */
  readonly deleted: number;
  /** The token of the next request; undefined if the restoration is complete. */
  readonly nextToken: string | undefined;
}

/** @throws S3Error InvalidArgument */
export async function readRestoration({ address, query }: S3Request): Promise<Restoration> {
  const bucketName = addressedBucket(address);
  const name = query.get("restoreSnapshot") ?? "";
  checkSnapshotName(name);
  const prefix = query.get("prefix") ?? "";
  const token = query.get("continuation-token");
  const marker = token === undefined ? "" : await readToken(token, tokenScope(bucketName, name, prefix));
  const { from } = pageAfter(marker, { prefix, delimiter: "" }, 1);
  return { bucketName, name, prefix, from };
}

/** The continuation token after a key. */
export async function restorationToken({ bucketName, name, prefix }: Restoration, lastKey: string): Promise<string> {
  return makeToken(lastKey, tokenScope(bucketName, name, prefix));
}

function tokenScope(bucketName: string, name: string, prefix: string): string[] {
  return ["restore", bucketName, name, prefix];
}

export function restorationElement({ bucketName, name }: Restoration, report: RestorationReport): XmlElement {
  return element(
    "RestoreBucketSnapshotResult",
    [
      element("Bucket", bucketName),
      element("Name", name),
      element("ObjectsRestored", report.restored),
      element("ObjectsDeleted", report.deleted),
      element("IsTruncated", report.nextToken !== undefined),
      optionalElement("NextContinuationToken", report.nextToken),
    ],
    { xmlns: S3_NAMESPACE },
  );
}

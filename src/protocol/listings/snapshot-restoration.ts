// What a request to bring a bucket back to one of its snapshots asks, and how it is answered.
import { element, optionalElement, type XmlElement } from "../../bytes/xml.ts";
import { addressedBucket } from "../core/addressing.ts";
import { makeToken, pageAfter, readToken } from "./listing.ts";
import { S3_NAMESPACE } from "../core/s3-error.ts";
import type { S3Request } from "../core/s3-request.ts";
import { checkSnapshotName } from "../core/snapshot.ts";

/** A page of a restoration. */
export interface Restoration {
  readonly bucketName: string;
  readonly name: string;
  readonly prefix: string;
  /** The first key to look at, or what comes before it. */
  readonly from: string;
}

/** What one request did. */
export interface RestorationReport {
  /** Keys that have the snapshot's version again. */
  readonly restored: number;
  /** Keys that the snapshot does not show, and that were deleted. */
  readonly deleted: number;
  /** Where the next request goes on; undefined where everything is done. */
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

/** The token of the page after a key. */
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

// Calls of S3 on buckets as a whole: list, create, delete, usage, versioning, whether they are public.
import type { Connection } from "./connection.ts";
import { bucketPath } from "./paths.ts";
import { childOf, childrenOf, numberOf, optionalText, parseXml, s3Document, tag, textOf } from "./xml.ts";

export interface ListedBucket {
  readonly name: string;
  readonly region: string;
  /** In ms. */
  readonly createdAt: number;
}

export interface BucketPage {
  readonly buckets: readonly ListedBucket[];
  readonly nextToken: string | undefined;
}

/** A page of the buckets that the caller may see. */
export async function listBuckets(connection: Connection, token?: string, limit = 1000): Promise<BucketPage> {
  const query = { "max-buckets": limit, "continuation-token": token };
  const root = await getXml(connection, "/", query);
  return {
    buckets: childrenOf(childOf(root, "Buckets"), "Bucket").map((bucket) => ({
      name: textOf(bucket, "Name"),
      region: textOf(bucket, "BucketRegion"),
      createdAt: Date.parse(textOf(bucket, "CreationDate")),
    })),
    nextToken: optionalText(root, "ContinuationToken"),
  };
}

export interface NewBucket {
  readonly name: string;
  /** Empty: the server's own region. */
  readonly location: string;
  readonly hasObjectLock: boolean;
}

export async function createBucket(
  connection: Connection,
  { name, location, hasObjectLock }: NewBucket,
): Promise<void> {
  await connection.send({
    method: "PUT",
    path: bucketPath(name),
    headers: { "x-amz-bucket-object-lock-enabled": hasObjectLock ? "true" : undefined },
    body: location === "" ? undefined : s3Document("CreateBucketConfiguration", tag("LocationConstraint", location)),
  });
}

export async function deleteBucket(connection: Connection, bucket: string): Promise<void> {
  await connection.send({ method: "DELETE", path: bucketPath(bucket) });
}

export type Versioning = "Enabled" | "Suspended" | "off";

export async function getVersioning(connection: Connection, bucket: string): Promise<Versioning> {
  const status = textOf(await getXml(connection, bucketPath(bucket), { versioning: "" }), "Status");
  return status === "Enabled" || status === "Suspended" ? status : "off";
}

export async function putVersioning(
  connection: Connection,
  bucket: string,
  status: Exclude<Versioning, "off">,
): Promise<void> {
  const body = s3Document("VersioningConfiguration", tag("Status", status));
  await connection.send({ method: "PUT", path: bucketPath(bucket), query: { versioning: "" }, body });
}

/** The current usage of a bucket, or of the keys below a prefix. */
export interface BucketUsage {
  readonly objects: number;
  readonly bytes: number;
  readonly noncurrentVersions: number;
  readonly noncurrentBytes: number;
  readonly deleteMarkers: number;
  readonly uploads: number;
  readonly uploadBytes: number;
  /** Whether the numbers are only a lower bound. */
  readonly isPartial: boolean;
}

/** Counts the usage of a bucket. The server counts a very large bucket only in part; the numbers are then a lower bound. */
export async function getUsage(connection: Connection, bucket: string, prefix?: string): Promise<BucketUsage> {
  const root = await getXml(connection, bucketPath(bucket), { usage: "", prefix });
  return {
    objects: numberOf(root, "Objects", "Count"),
    bytes: numberOf(root, "Objects", "Bytes"),
    noncurrentVersions: numberOf(root, "NoncurrentVersions", "Count"),
    noncurrentBytes: numberOf(root, "NoncurrentVersions", "Bytes"),
    deleteMarkers: numberOf(root, "DeleteMarkers", "Count"),
    uploads: numberOf(root, "MultipartUploads", "Count"),
    uploadBytes: numberOf(root, "MultipartUploads", "Bytes"),
    isPartial: textOf(root, "IsTruncated") === "true",
  };
}

/** Whether everyone may use the bucket without credentials. */
export async function isPublic(connection: Connection, bucket: string): Promise<boolean> {
  return (
    textOf(await getXml(connection, bucketPath(bucket), { policyStatus: "" }), "IsPublic").toLowerCase() === "true"
  );
}

/** Sends a GET and parses the XML of its answer. */
export async function getXml(
  connection: Connection,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
  signal?: AbortSignal,
): Promise<Element> {
  const response = await connection.send({ method: "GET", path, query, signal });
  return parseXml(await response.text());
}

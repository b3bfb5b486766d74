// What the migration guide has to carry over: a bucket with everything that its commands claim to copy.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { S3 } from "@aws-sdk/client-s3";
import type { Credentials, Endpoint } from "../site.ts";

/** Root's credentials of the server that stands for the source. */
export const SOURCE_CREDENTIALS = { accessKeyId: "SOURCEOFMIGRATION000", secretAccessKey: "of/the+source/of/the/copy" };

const PARTS = [6 * 1024 ** 2, 5 * 1024 ** 2 + 1, 1000].map((size) => randomBytes(size));
const HEADERS = { ContentType: "text/x-note", CacheControl: "max-age=60", ContentDisposition: "attachment" };
const METADATA = { project: "cairn", mtime: "1600000000" };
const POLICY = (bucket: string): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/public/*` },
    ],
  });

/** A client of one side. */
export function sideOf({ url }: Endpoint, credentials: Credentials): S3 {
  return new S3({ endpoint: url, region: "auto", forcePathStyle: true, credentials });
}

/** Makes the source's bucket: versions, delete markers, headers, metadata, tags, uneven parts, and its documents. */
export async function fillSource(s3: S3, Bucket: string): Promise<void> {
  await s3.createBucket({ Bucket });
  await s3.putObject({ Bucket, Key: "older", Body: "before versions" });
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  for (const Body of ["one", "two", "three"]) await s3.putObject({ Bucket, Key: "versioned", Body });
  await s3.putObject({ Bucket, Key: "deleted", Body: "deleted" });
  await s3.deleteObject({ Bucket, Key: "deleted" });
  await s3.putObject({ Bucket, Key: "tagged", Body: "tagged", Tagging: "team=a%20b&kind=%C3%A9" });
  await s3.putObject({ Bucket, Key: "odd key +%2F/é", Body: "described", ...HEADERS, Metadata: METADATA });
  const upload = { Bucket, Key: "parts" };
  const { UploadId } = await s3.createMultipartUpload({ ...upload, ...HEADERS });
  const Parts = [];
  for (const [index, Body] of PARTS.entries()) {
    const part = { PartNumber: index + 1 };
    const { ETag } = await s3.uploadPart({ ...upload, ...part, UploadId, Body });
    Parts.push({ ...part, ETag });
  }
  await s3.completeMultipartUpload({ ...upload, UploadId, MultipartUpload: { Parts } });
  await s3.putBucketPolicy({ Bucket, Policy: POLICY(Bucket) });
  const CORSRules = [{ AllowedMethods: ["GET"], AllowedOrigins: ["https://app.example.com"] }];
  await s3.putBucketCors({ Bucket, CORSConfiguration: { CORSRules } });
  const Rules = [{ ID: "old", Status: "Enabled" as const, Filter: { Prefix: "tmp/" }, Expiration: { Days: 3 } }];
  await s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules } });
  await s3.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: "team", Value: "storage" }] } });
}

/** Asserts that everything arrived. */
export async function checkObjects(s3: S3, Bucket: string): Promise<void> {
  const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket });
  assert.deepEqual(
    DeleteMarkers.map(({ Key, IsLatest }) => [Key, IsLatest]),
    [["deleted", true]],
  );
  const bodies = [];
  for (const { VersionId } of Versions.filter(({ Key }) => Key === "versioned")) {
    const { Body } = await s3.getObject({ Bucket, Key: "versioned", VersionId });
    bodies.push(await Body?.transformToString());
  }
  assert.deepEqual(bodies, ["three", "two", "one"]);
  const { TagSet = [] } = await s3.getObjectTagging({ Bucket, Key: "tagged" });
  const tags = Object.fromEntries(TagSet.map(({ Key = "", Value }) => [Key, Value]));
  assert.deepEqual(tags, { kind: "é", team: "a b" });
  const described = await s3.headObject({ Bucket, Key: "odd key +%2F/é" });
  assert.partialDeepStrictEqual(described, { ...HEADERS, Metadata: METADATA });
  const { PartsCount, ContentLength } = await s3.headObject({ Bucket, Key: "parts", PartNumber: 1 });
  assert.deepEqual([PartsCount, ContentLength], [PARTS.length, PARTS[0]?.length]);
  const { Body } = await s3.getObject({ Bucket, Key: "parts" });
  assert.ok(Buffer.concat(PARTS).equals((await Body?.transformToByteArray()) ?? Buffer.of()));
}

/** Asserts that the bucket's documents arrived. */
export async function checkDocuments(s3: S3, Bucket: string): Promise<void> {
  const { Policy = "" } = await s3.getBucketPolicy({ Bucket });
  assert.deepEqual(JSON.parse(Policy), JSON.parse(POLICY(Bucket)));
  assert.equal((await s3.getBucketCors({ Bucket })).CORSRules?.[0]?.AllowedOrigins?.[0], "https://app.example.com");
  assert.equal((await s3.getBucketLifecycleConfiguration({ Bucket })).Rules?.[0]?.ID, "old");
  assert.equal((await s3.getBucketTagging({ Bucket })).TagSet?.[0]?.Value, "storage");
}

// The stores between which the checks of imports copy, and what they fill buckets with.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { S3 } from "@aws-sdk/client-s3";
import type { Credentials, Site } from "../site.ts";

export interface StoreSide {
  readonly url: string;
  readonly keys: Credentials;
  readonly region: string;
  /** Its name in the setting UPSTREAMS of the first Cairn; empty for that one itself. */
  readonly upstream: string;
}

export interface ImportSite {
  readonly site: Site;
  readonly folder: string;
  /** The Cairn that imports. */
  readonly first: StoreSide;
  readonly cairn: StoreSide;
  readonly s3rver: StoreSide;
}

/** A client that sends nothing that a store of some years ago does not know. */
export function clientOf({ url, keys, region }: StoreSide): S3 {
  return new S3({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: keys,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}

/** An object, with what a copy must keep. */
export interface SampleObject {
  readonly key: string;
  readonly body: Buffer;
  readonly fields?: {
    readonly ContentType?: string;
    readonly CacheControl?: string;
    readonly ContentEncoding?: string;
    readonly Metadata?: Record<string, string>;
  };
}

export const SAMPLES: readonly SampleObject[] = [
  { key: "empty", body: Buffer.of() },
  {
    key: "folder/described.txt",
    body: Buffer.from("described"),
    fields: { ContentType: "text/x-note", CacheControl: "max-age=60", Metadata: { project: "cairn" } },
  },
  {
    key: "folder/compressed.txt",
    body: gzipSync("compressed ".repeat(1000)),
    fields: { ContentType: "text/plain", ContentEncoding: "gzip" },
  },
  { key: "folder/odd name + & é.txt", body: Buffer.from("odd") },
  { key: "large", body: randomBytes(20 * 1024 ** 2 + 7) },
];

/** Makes a bucket with the samples. */
export async function fillBucket(s3: S3, Bucket: string): Promise<void> {
  await s3.createBucket({ Bucket });
  for (const { key, body, fields } of SAMPLES) await s3.putObject({ Bucket, Key: key, Body: body, ...fields });
}

/** Asserts that a bucket returns the samples. */
export async function assertSamples(s3: S3, Bucket: string): Promise<void> {
  for (const { key, body, fields = {} } of SAMPLES) {
    const { Body, ...head } = await s3.getObject({ Bucket, Key: key });
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    assert.ok(bytes.equals(body), `${key} has ${bytes.length} other bytes`);
    const { Metadata = {}, ...headers } = fields;
    assert.partialDeepStrictEqual(head, headers, key);
    assert.partialDeepStrictEqual(head.Metadata ?? {}, Metadata, key);
  }
}

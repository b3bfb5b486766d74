// A folder in which a bucket is mounted, and how its objects look to another client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { hashBytes } from "../hashes.ts";
import type { Site } from "../site.ts";

export interface Folder {
  readonly path: string;
  readonly bucket: string;
  /** Another client of the bucket. */
  readonly s3: S3Client;
  readonly site: Site;
}

// Mounts upload a file some time after it is closed.
const LIMIT_MS = 60_000;
const PAUSE_MS = 100;

/** Repeats an assertion until it holds. */
export async function eventually(assertion: () => void | Promise<void>): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await pause(PAUSE_MS);
  }
}

/** Whether a file system is mounted at a path. */
export function isMountPoint(path: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8").includes(` ${path} fuse`);
}

/** Asserts what another client reads under a key. */
export async function assertObject({ s3, bucket }: Folder, key: string, expected: string): Promise<void> {
  await eventually(async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    assert.equal(await Body?.transformToString(), expected, key);
  });
}

/** Asserts the SHA-256 of what another client reads under a key. */
export async function assertObjectHash({ s3, bucket }: Folder, key: string, sha256: string): Promise<void> {
  await eventually(async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    assert.equal(hashBytes("sha256", (await Body?.transformToByteArray()) ?? new Uint8Array()), sha256, key);
  });
}

/** Asserts the keys with a prefix, without the markers of folders. */
export async function assertKeys({ s3, bucket }: Folder, prefix: string, expected: readonly string[]): Promise<void> {
  await eventually(async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    const keys = Contents.map(({ Key = "" }) => Key).filter((key) => !key.endsWith("/"));
    assert.deepEqual(keys, expected);
  });
}

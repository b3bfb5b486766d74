// Asserts that the stored rows and blobs are consistent: the checker of the crash test, over the tests' storage.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { checkReferences, type BlobListing, type ReferenceReport } from "../../src/state/repair/check-references.ts";
import { EVERYTHING, scopeOfBucket, type ConsistencyScope } from "../../src/state/repair/consistency.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { databaseBindings, Databases } from "../../src/state/d1/databases.ts";
import { bucketId } from "./stored-state.ts";

/** Checks one bucket: its rows, and the blobs and manifests that were stored for it, referenced or not. */
export async function referencesOf(bucketName: string): Promise<ReferenceReport> {
  return referencesOfId(await bucketId(bucketName));
}

/** Checks a bucket that may be deleted. */
export async function referencesOfId(id: string): Promise<ReferenceReport> {
  return check(scopeOfBucket(id), `${id}/`);
}

/** Checks all rows and blobs. */
export async function allReferences(): Promise<ReferenceReport> {
  return check(EVERYTHING, "");
}

/** Asserts that buckets are consistent and have no orphaned blobs. */
export async function expectSoundReferences(...bucketNames: readonly string[]): Promise<void> {
  for (const name of bucketNames) {
    expect({ bucket: name, ...(await referencesOf(name)) }).toEqual({ bucket: name, findings: [], orphans: [] });
  }
}

function check(scope: ConsistencyScope, prefix: string): Promise<ReferenceReport> {
  return checkReferences(new Databases(databaseBindings(env), new Counts()).all, blobListing(prefix), scope);
}

function blobListing(prefix: string): BlobListing {
  return async (cursor) => {
    const page = await env.BLOBS.list(cursor === undefined ? { prefix } : { prefix, cursor });
    return {
      // Cairn's own records are no blobs of objects.
      blobs: page.objects
        .filter(({ key }) => !key.startsWith("cairn/"))
        .map(({ key, size }) => ({ blobId: key, size })),
      cursor: page.truncated ? page.cursor : undefined,
    };
  };
}

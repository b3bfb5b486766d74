import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import { currentHeads, lookUpHeads } from "../../src/state/commit/heads.ts";
import { insertDeleteMarkers } from "../../src/state/commit/version-moves.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database, statement } from "../../src/state/d1/database.ts";
import { insertedBucket } from "../support/bucket-rows.ts";

const KEY = `a/"b" \\ é😀`;

/** A database whose costs are counted from now on. */
function counted(): { readonly database: Database; readonly counts: Counts } {
  const counts = new Counts();
  return { database: new Database(env.DB, counts), counts };
}

async function insertObjects(bucketId: string, keys: readonly string[], versionId: string): Promise<void> {
  await counted().database.batch([
    statement(
      `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class, blob_id)
       SELECT ?1, value, ?3, 1, 7, 'e', 5, 'o', 'STANDARD', ?1 || '/' || value FROM json_each(?2)`,
      bucketId,
      JSON.stringify(keys),
      versionId,
    ),
  ]);
}

describe("the lookup of a bucket and a head", () => {
  it("finds both with one statement, whatever the number of other keys", async () => {
    const bucket = await insertedBucket();
    const versionId = nextVersionId(Date.now(), undefined);
    const others = Array.from({ length: 200 }, (_, index) => `a/${index}`);
    await insertObjects(bucket.id, [KEY, ...others], versionId);
    const lookup = lookUpHeads(bucket.name, [KEY]);
    expect(lookup.statements).toHaveLength(1);
    const { database, counts } = counted();
    const found = await database.look(lookup);
    expect(found.bucket).toEqual(bucket);
    expect(Array.from(found.heads)).toEqual([
      [
        KEY,
        {
          versionId,
          current: { versionId, etag: "e", size: 7, modifiedAt: 5 },
          subject: { tags: [], acl: undefined },
          referenceId: `${bucket.id}/${KEY}`,
        },
      ],
    ]);
    expect(found.heads).toEqual(await database.look(currentHeads(bucket.id, [KEY])));
    expect(counts.snapshot().d1RowsRead).toBeLessThan(20);
  });

  it("finds the newest delete marker of a key without a current version", async () => {
    const { database } = counted();
    const bucket = await insertedBucket("Enabled");
    const older = nextVersionId(Date.now(), undefined);
    const newest = nextVersionId(Date.now(), older);
    for (const versionId of [older, newest]) {
      await database.batch([insertDeleteMarkers(bucket, [{ key: KEY, versionId, ownerId: "o", modifiedAt: 5 }])]);
    }
    const { heads } = await database.look(lookUpHeads(bucket.name, [KEY]));
    expect(heads.get(KEY)).toEqual({ versionId: newest, current: undefined });
  });

  it("finds the bucket of a key that has no version, and nothing without the bucket", async () => {
    const { database } = counted();
    const bucket = await insertedBucket();
    const found = await database.look(lookUpHeads(bucket.name, [KEY]));
    expect(found.bucket).toEqual(bucket);
    expect(found.heads.get(KEY)).toEqual({ versionId: null, current: undefined });
    const missing = await database.look(lookUpHeads(`${bucket.name}-none`, [KEY]));
    expect([missing.bucket, missing.heads.size]).toEqual([undefined, 0]);
  });
});

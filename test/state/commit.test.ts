import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { nextVersionId } from "../../src/protocol/core/version-id.ts";
import type { Bucket } from "../../src/state/metadata/buckets.ts";
import { commitBatch, guardCommit } from "../../src/state/commit/commit.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database, type Statement } from "../../src/state/d1/database.ts";
import { currentHeads } from "../../src/state/commit/heads.ts";
import { upsertObject } from "../../src/state/metadata/objects.ts";
import { insertedBucket } from "../support/bucket-rows.ts";

const database = new Database(env.DB, new Counts());

function put(bucket: Bucket, key: string, versionId: string): Statement {
  return upsertObject(bucket.id, {
    key,
    versionId,
    isNullVersion: true,
    size: 1,
    etag: "e",
    modifiedAt: 0,
    ownerId: "o",
    blobId: `${bucket.id}/${versionId}`,
    manifestId: undefined,
    tags: [],
    acl: undefined,
    encryption: undefined,
    retention: undefined,
    legalHold: undefined,
    contentType: undefined,
    systemMetadata: {},
    userMetadata: {},
    storageClass: "STANDARD",
    checksum: undefined,
  });
}

/** Whether a version is the current one of its key. */
async function isCurrent(database: Database, bucketId: string, key: string, versionId: string): Promise<boolean> {
  return (await database.look(currentHeads(bucketId, [key]))).get(key)?.current?.versionId === versionId;
}

const never = () => Promise.resolve(false);

/** The real database behind a failing connection: before or after the batch is applied, the given number of times. */
function failing(when: "before" | "after", times: number): Database {
  let left = times;
  const line = new Proxy(env.DB, {
    get(target, property) {
      if (property !== "batch") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (statements: D1PreparedStatement[]) => {
        const isWrite = left > 0 && statements.length > 1;
        if (isWrite && when === "before") {
          left -= 1;
          throw new Error("D1_ERROR: Network connection lost.");
        }
        const results = await target.batch(statements);
        if (isWrite) {
          left -= 1;
          throw new Error("D1_ERROR: Network connection lost.");
        }
        return results;
      };
    },
  });
  return new Database(line, new Counts());
}

describe("a guarded batch", () => {
  it("is applied when everything is as expected", async () => {
    const bucket = await insertedBucket();
    const versionId = nextVersionId(1, undefined);
    const heads = new Map([["k", null]]);
    const outcome = await commitBatch(
      database,
      [guardCommit(bucket, heads, [`${bucket.id}/b`]), put(bucket, "k", versionId)],
      never,
    );
    expect(outcome).toBe("applied");
    expect(await isCurrent(database, bucket.id, "k", versionId)).toBe(true);
  });

  it("does nothing when the head differs", async () => {
    const bucket = await insertedBucket();
    const first = nextVersionId(1, undefined);
    await database.batch([put(bucket, "k", first)]);
    for (const head of [null, nextVersionId(1, undefined)]) {
      const second = nextVersionId(2, undefined);
      // The statement after the guard would succeed by itself: only the guard can have stopped it.
      const outcome = await commitBatch(
        database,
        [guardCommit(bucket, new Map([["k", head]]), []), put(bucket, "k", second), put(bucket, "other", second)],
        never,
      );
      expect(outcome).toBe("head changed");
      expect(await isCurrent(database, bucket.id, "k", first)).toBe(true);
      expect(await isCurrent(database, bucket.id, "other", second)).toBe(false);
    }
  });

  it("treats a delete marker of the versions table as a head", async () => {
    const bucket = await insertedBucket();
    const marker = nextVersionId(5, undefined);
    const older = nextVersionId(4, undefined);
    for (const versionId of [older, marker]) {
      await env.DB.prepare(
        `INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
           owner_id, storage_class) VALUES (?, 'k', ?, 0, 1, 0, '', 0, 'o', 'STANDARD')`,
      )
        .bind(bucket.id, versionId)
        .run();
    }
    const commit = (head: string | null) =>
      commitBatch(database, [guardCommit(bucket, new Map([["k", head]]), [])], never);
    expect(await commit(null)).toBe("head changed");
    expect(await commit(older)).toBe("head changed");
    expect(await commit(marker)).toBe("applied");
  });

  it("is rejected in a bucket that was deleted, recreated, or versioned meanwhile", async () => {
    const bucket = await insertedBucket();
    const commit = (seen: Bucket) => commitBatch(database, [guardCommit(seen, new Map([["k", null]]), [])], never);
    expect(await commit({ ...bucket, id: "another" })).toBe("bucket changed");
    expect(await commit({ ...bucket, name: "commit-nowhere" })).toBe("bucket changed");
    expect(await commit({ ...bucket, versioning: "Enabled" })).toBe("bucket changed");
    expect(await commit(bucket)).toBe("applied");
  });

  it("is rejected for a blob with a tombstone of the orphan scan", async () => {
    const bucket = await insertedBucket();
    const blobs = [`${bucket.id}/one`, `${bucket.id}/two`];
    const commit = () => commitBatch(database, [guardCommit(bucket, new Map([["k", null]]), blobs)], never);
    expect(await commit()).toBe("applied");
    await env.DB.prepare("INSERT INTO scan_tombstones VALUES (?, 0)").bind(blobs[1]).run();
    expect(await commit()).toBe("blob has tombstone");
  });

  it("guards every key of a batch with several keys", async () => {
    const bucket = await insertedBucket();
    await database.batch([put(bucket, "b", nextVersionId(1, undefined))]);
    const heads = new Map([
      ["a", null],
      ["b", null],
    ]);
    expect(await commitBatch(database, [guardCommit(bucket, heads, [])], never)).toBe("head changed");
  });
});

describe("a batch whose response is lost", () => {
  const commit = async (line: Database) => {
    const bucket = await insertedBucket();
    const versionId = nextVersionId(1, undefined);
    const outcome = await commitBatch(
      line,
      [guardCommit(bucket, new Map([["k", null]]), []), put(bucket, "k", versionId)],
      () => isCurrent(database, bucket.id, "k", versionId),
    );
    return { outcome, isThere: await isCurrent(database, bucket.id, "k", versionId) };
  };

  it("is found to be applied", async () => {
    expect(await commit(failing("after", 1))).toEqual({ outcome: "applied", isThere: true });
    expect(await commit(failing("after", 3))).toEqual({ outcome: "applied", isThere: true });
  });

  it("is sent again when it was not applied", async () => {
    expect(await commit(failing("before", 1))).toEqual({ outcome: "applied", isThere: true });
    expect(await commit(failing("before", 3))).toEqual({ outcome: "applied", isThere: true });
  });

  it("stays unknown while D1 is unreachable", async () => {
    expect(await commit(failing("before", 99))).toEqual({ outcome: "unknown", isThere: false });
  });

  it("is never treated as rejected because its own commit moved the head", async () => {
    const bucket = await insertedBucket();
    const versionId = nextVersionId(1, undefined);
    const outcome = await commitBatch(
      failing("after", 1),
      [guardCommit(bucket, new Map([["k", null]]), []), put(bucket, "k", versionId)],
      // The check fails once as well, so that the batch is sent a second time.
      (() => {
        let isFirst = true;
        return async () => {
          if (isFirst) {
            isFirst = false;
            throw new Error("D1_ERROR: Network connection lost.");
          }
          return isCurrent(database, bucket.id, "k", versionId);
        };
      })(),
    );
    expect(outcome).toBe("applied");
  });
});

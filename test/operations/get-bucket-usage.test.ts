import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { bucketId } from "../support/stored-state.ts";
import { createUpload, putPart } from "../support/multipart.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

type Figures = Readonly<Record<string, Readonly<Record<string, number>>>>;

const EMPTY: Figures = {
  Objects: { Count: 0, Bytes: 0 },
  NoncurrentVersions: { Count: 0, Bytes: 0 },
  DeleteMarkers: { Count: 0 },
  MultipartUploads: { Count: 0, Parts: 0, Bytes: 0 },
};

async function answerOf(bucket: string, query = ""): Promise<{ readonly root: Element; readonly response: Response }> {
  const response = await send("GET", `/${bucket}?usage${query}`);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return { root: readXml(text), response };
}

function figuresOf(root: Element): Figures {
  return Object.fromEntries(
    Object.keys(EMPTY).map((name) => {
      const [sum] = childrenOf(root, name);
      return [name, Object.fromEntries((sum?.children ?? []).map((child) => [child.name, Number(child.text)]))];
    }),
  );
}

async function usageOf(bucket: string, query = ""): Promise<Figures> {
  return figuresOf((await answerOf(bucket, query)).root);
}

describe("GetBucketUsage", () => {
  it("returns zeros for an empty bucket", async () => {
    const bucket = await freshBucket();
    const { root, response } = await answerOf(bucket);
    expect(root.name).toBe("GetBucketUsageResult");
    expect(textOf(root, "Bucket")).toBe(bucket);
    expect(textOf(root, "IsTruncated")).toBe("false");
    expect(figuresOf(root)).toEqual(EMPTY);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("counts objects, noncurrent versions, delete markers and uploads, and their bytes", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { a: "12345", "dir/b": "123", empty: "" });
    await putVersion(bucket, "a", "1234567");
    await deleteKey(bucket, "dir/b");
    await deleteKey(bucket, "dir/never");
    await putPart(bucket, "dir/upload", await createUpload(bucket, "dir/upload"), 1, "1234");
    const second = await createUpload(bucket, "upload");
    await putPart(bucket, "upload", second, 1, "12");
    await putPart(bucket, "upload", second, 2, "345");
    await putPart(bucket, "upload", second, 2, "3");
    expect(await usageOf(bucket)).toEqual({
      Objects: { Count: 2, Bytes: 7 },
      NoncurrentVersions: { Count: 2, Bytes: 8 },
      DeleteMarkers: { Count: 2 },
      MultipartUploads: { Count: 2, Parts: 3, Bytes: 7 },
    });
    expect(await usageOf(bucket, "&prefix=dir/")).toEqual({
      Objects: { Count: 0, Bytes: 0 },
      NoncurrentVersions: { Count: 1, Bytes: 3 },
      DeleteMarkers: { Count: 2 },
      MultipartUploads: { Count: 1, Parts: 1, Bytes: 4 },
    });
    expect(await usageOf(bucket, "&prefix=nothing")).toEqual(EMPTY);
  });

  it("counts a copy in full, although it shares its bytes", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "12345" });
    expect((await send("PUT", `/${bucket}/b`, { headers: { "x-amz-copy-source": `/${bucket}/a` } })).status).toBe(200);
    expect(await usageOf(bucket)).toMatchObject({ Objects: { Count: 2, Bytes: 10 } });
  });

  it("does not count the content of other buckets", async () => {
    const bucket = await freshBucket();
    const other = await freshBucket();
    await putAll(other, { a: "1", b: "2" });
    await putAll(bucket, { a: "123" });
    expect(await usageOf(bucket)).toMatchObject({ Objects: { Count: 1, Bytes: 3 } });
  });

  it("reads a large bucket range by range, each row a few times, and omits none", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { "m-seed": "1234" });
    const count = 25_000;
    const id = await bucketId(bucket);
    // Many objects, and one key of many versions: copies of the existing row.
    await env.DB.batch([
      env.DB.prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
         INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id, storage_class)
         SELECT bucket_id, 'k' || n, version_id, 0, 2, etag, modified_at, owner_id, blob_id || n, storage_class
         FROM objects, numbers WHERE bucket_id = ?1 AND key = 'm-seed'`,
      ).bind(id, count),
      env.DB.prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)
         INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
           owner_id, blob_id, storage_class)
         SELECT bucket_id, key, 'z' || printf('%031d', n), 0, n % 2, 3 * (1 - n % 2), etag, modified_at, owner_id,
           NULL, storage_class
         FROM objects, numbers WHERE bucket_id = ?1 AND key = 'm-seed'`,
      ).bind(id, count),
    ]);
    try {
      const { root, response } = await answerOf(bucket);
      expect(figuresOf(root)).toEqual({
        ...EMPTY,
        Objects: { Count: count + 1, Bytes: 2 * count + 4 },
        NoncurrentVersions: { Count: count / 2, Bytes: (3 * count) / 2 },
        DeleteMarkers: { Count: count / 2 },
      });
      const { roundTrips, rowsRead } = costOf(response);
      expect(roundTrips).toBeGreaterThan(2);
      expect(rowsRead).toBeLessThan(5 * 2 * count);
    } finally {
      await env.DB.batch(
        ["objects", "versions"].map((table) => env.DB.prepare(`DELETE FROM ${table} WHERE bucket_id = ?`).bind(id)),
      );
    }
  });

  it("rejects a foreign token", async () => {
    const bucket = await freshBucket();
    await expectS3Error(await send("GET", `/${bucket}?usage&continuation-token=x`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "continuation-token", ArgumentValue: "x" },
    });
  });

  it("returns NoSuchBucket for a missing bucket, and AccessDenied to anonymous callers", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?usage`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}?usage`)), { status: 403, code: "AccessDenied" });
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectBytes } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { bucketId, expectNoTrace, storedStateOfId } from "../support/stored-state.ts";

describe("DeleteBucket", () => {
  it("returns 204 without a body and deletes the bucket", async () => {
    const name = await freshBucket();
    const response = await send("DELETE", `/${name}`);
    expect(response.status).toBe(204);
    expect(response.body).toBeNull();
    expect(response.headers.get("content-type")).toBeNull();
    expectAnswerHeaders(response);
    expect(await env.DB.prepare("SELECT 1 FROM buckets WHERE name = ?").bind(name).first()).toBeNull();
  });

  it("costs two round trips and one written row", async () => {
    const response = await send("DELETE", `/${await freshBucket()}`);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("returns BucketNotEmpty while it contains an object, and deletes nothing", async () => {
    const name = await freshBucket();
    await putAll(name, { "a/b": "x" });
    await expectNoTrace(name, async () =>
      expectS3Error(await send("DELETE", `/${name}`), {
        status: 409,
        code: "BucketNotEmpty",
        fields: { BucketName: name },
      }),
    );
    await expectBytes(await send("GET", `/${name}/a/b`), "x");
  });

  it("returns BucketNotEmpty while it contains a version or a delete marker", async () => {
    for (const isMarker of [0, 1]) {
      const name = await freshBucket();
      await env.DB.prepare(
        `INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
           owner_id, storage_class) VALUES (?, 'k', 'v', 0, ?, 0, '', 0, 'o', 'STANDARD')`,
      )
        .bind(await bucketId(name), isMarker)
        .run();
      await expectS3Error(await send("DELETE", `/${name}`), {
        status: 409,
        code: "BucketNotEmpty",
        fields: { BucketName: name },
      });
      expect((await send("HEAD", `/${name}`)).status).toBe(200);
    }
  });

  it("deletes a bucket whose objects are deleted, and their blobs stay garbage for the collector", async () => {
    const name = await freshBucket();
    await putAll(name, { k: "x" });
    const id = await bucketId(name);
    await send("DELETE", `/${name}/k`);
    expect((await send("DELETE", `/${name}`)).status).toBe(204);
    const { objects, blobs, garbage } = await storedStateOfId(id);
    expect(objects).toEqual({});
    expect(garbage).toEqual(Object.keys(blobs));
    expect(garbage).toHaveLength(1);
  });

  it("returns NoSuchBucket for a missing bucket, also when repeated", async () => {
    const name = await freshBucket();
    await send("DELETE", `/${name}`);
    for (const missing of [name, freshBucketName()]) {
      await expectS3Error(await send("DELETE", `/${missing}`), {
        status: 404,
        code: "NoSuchBucket",
        fields: { BucketName: missing },
      });
    }
  });

  it("deletes the bucket when several requests do so at once", async () => {
    const name = await freshBucket();
    const statuses = (await Promise.all([1, 2, 3, 4].map(() => send("DELETE", `/${name}`)))).map(
      ({ status }) => status,
    );
    // Requests that lose the race find the bucket deleted, which is what they requested.
    expect(statuses.every((status) => status === 204 || status === 404)).toBe(true);
    expect(statuses).toContain(204);
    expect((await send("HEAD", `/${name}`)).status).toBe(404);
  });

  it("rejects anonymous requests and another expected owner", async () => {
    const name = await freshBucket();
    await expectS3Error(await deliver(anonymous("DELETE", `/${name}`)), { status: 403, code: "AccessDenied" });
    await expectS3Error(
      await send("DELETE", `/${name}`, { headers: { "x-amz-expected-bucket-owner": "111111111111" } }),
      { status: 403, code: "AccessDenied" },
    );
    expect((await send("HEAD", `/${name}`)).status).toBe(200);
  });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { annotate, annotatedBucket, annotationTarget, payloadOf, namesOf } from "../support/annotations.ts";
import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Hex } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

describe("PutObjectAnnotation: annotations", () => {
  it("are put, read, listed, replaced and deleted", async () => {
    const bucket = await annotatedBucket();
    const at = `${bucket}/k`;
    const put = await annotate(at, "ml.sentiment", "{}");
    expect(put.headers.get("etag")).toBe(`"${md5Hex("{}")}"`);
    expect(put.headers.get("x-amz-checksum-crc64nvme")).not.toBeNull();
    expect(put.headers.get("x-amz-object-version-id")).toBe("null");
    await annotate(at, "ml.sentiment", '{"é":1}');
    await annotate(at, "zzz", "x");
    const read = await send("GET", annotationTarget(at, "ml.sentiment"), {
      headers: { "x-amz-checksum-mode": "ENABLED" },
    });
    expect(read.headers.get("content-length")).toBe("8");
    expect(read.headers.get("x-amz-checksum-crc64nvme")).not.toBeNull();
    expect(costOf(read)).toMatchObject({ roundTrips: 2, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(await read.text()).toBe('{"é":1}');
    expect((await namesOf(at)).names).toEqual(["ml.sentiment", "zzz"]);
    expect((await namesOf(at, "&annotation-prefix=ml.")).names).toEqual(["ml.sentiment"]);
    const deleted = await send("DELETE", annotationTarget(at, "ml.sentiment"));
    expect(deleted.status).toBe(204);
    expect(deleted.headers.get("x-amz-object-version-id")).toBe("null");
    await expectS3Error(await send("GET", annotationTarget(at, "ml.sentiment")), {
      status: 404,
      code: "NoSuchAnnotation",
      fields: { Key: "k", AnnotationName: "ml.sentiment" },
    });
    // Deleting again succeeds, as in S3's other deletions.
    expect((await send("DELETE", annotationTarget(at, "ml.sentiment"))).status).toBe(204);
    expect(await (await send("GET", `/${at}`)).text()).toBe("text");
  });

  it.each<[string, string, string]>([
    ["aws.x", "InvalidAnnotationName", "a reserved name"],
    ["S3x", "InvalidAnnotationName", "another reserved name"],
    ["", "InvalidAnnotationName", "no name"],
    ["a/b", "InvalidAnnotationName", "a slash"],
    ["a b", "InvalidAnnotationName", "a space"],
    ["é".repeat(257), "AnnotationNameTooLong", "514 bytes"],
  ])("refuse the name %j with %s: %s", async (name, code) => {
    const bucket = await annotatedBucket();
    for (const method of ["PUT", "GET", "DELETE"]) {
      const options: SendOptions = method === "PUT" ? { body: "1" } : {};
      await expectS3Error(await send(method, annotationTarget(`${bucket}/k`, name), options), { status: 400, code });
    }
  });

  it("refuse payloads that are empty, too long or no text", async () => {
    const at = `${await annotatedBucket()}/k`;
    const put = (body: string | Uint8Array) => send("PUT", annotationTarget(at, "a"), { body });
    await expectS3Error(await put(""), { status: 400, code: "InvalidRequest" });
    await expectS3Error(await put("x".repeat(1024 * 1024 + 1)), { status: 400, code: "EntityTooLarge" });
    await expectS3Error(await put(new Uint8Array([0xff, 0xfe])), { status: 415, code: "UnsupportedMediaType" });
    await expectS3Error(await put("a\0b"), { status: 415, code: "UnsupportedMediaType" });
    expect((await namesOf(at)).names).toEqual([]);
    await annotate(at, "a", '"'.repeat(1024 * 1024));
    expect(await payloadOf(at, "a")).toBe('"'.repeat(1024 * 1024));
  });

  it("refuse a wrong digest, a prefix that no name has, and an object that does not exist", async () => {
    const bucket = await annotatedBucket();
    const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
    const wrong = await send("PUT", annotationTarget(`${bucket}/k`, "a"), { body: "1", headers });
    await expectS3Error(wrong, { status: 400, code: "BadDigest" });
    const prefix = await send("GET", `/${bucket}/k?annotation&annotation-prefix=a%2F`);
    await expectS3Error(prefix, { status: 400, code: "InvalidPrefix" });
    const missing = await send("PUT", annotationTarget(`${bucket}/none`, "a"), { body: "1" });
    await expectS3Error(missing, { status: 404, code: "NoSuchKey", fields: { Key: "none" } });
  });

  it("are conditional on the object's ETag", async () => {
    const at = `${await annotatedBucket()}/k`;
    const put = (etag: string) =>
      send("PUT", annotationTarget(at, "a"), { body: "1", headers: { "x-amz-object-if-match": etag } });
    expect((await put(`"${md5Hex("text")}"`)).status).toBe(200);
    const fields = { Condition: "x-amz-object-if-match" };
    await expectS3Error(await put('"other"'), { status: 412, code: "PreconditionFailed", fields });
    const headers = { "x-amz-object-if-match": '"other"' };
    const deleted = await send("DELETE", annotationTarget(at, "a"), { headers });
    await expectS3Error(deleted, { status: 412, code: "PreconditionFailed", fields });
    expect(await payloadOf(at, "a")).toBe("1");
  });

  it("are refused for an object under a customer's key", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "1", headers: keyHeaders(customerKey(7)) });
    const response = await send("PUT", annotationTarget(`${bucket}/k`, "a"), { body: "1" });
    await expectS3Error(response, { status: 400, code: "InvalidRequest" });
  });

  it("have limits for each version: 1000 of them, and 8 MiB together", async () => {
    const bucket = await annotatedBucket();
    const at = `${bucket}/k`;
    for (let number = 0; number < 8; number += 1) await annotate(at, `big${number}`, "x".repeat(1024 * 1024));
    const exceeded = { status: 400, code: "AnnotationLimitExceeded" };
    await expectS3Error(await send("PUT", annotationTarget(at, "more"), { body: "1" }), exceeded);
    await annotate(at, "big0", "x");
    await env.DB.prepare(
      `INSERT INTO annotations SELECT a.bucket_id, a.key, a.version_id, 'n' || value, 1, 'e', 0, 'CRC32', '', 'x'
       FROM json_each(?2), (SELECT * FROM annotations
         WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) LIMIT 1) a`,
    )
      .bind(bucket, JSON.stringify(Array.from({ length: 992 }, (_, index) => index)))
      .run();
    await expectS3Error(await send("PUT", annotationTarget(at, "more"), { body: "1" }), exceeded);
    await annotate(at, "n1", "replaced");
  });
});

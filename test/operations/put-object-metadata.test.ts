// PutObject's metadata headers and storage class.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { deliver, presigned, send } from "../support/client.ts";
import { utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { expectRefused } from "./put-object-fixture.ts";

describe("PutObject", () => {
  describe("metadata", () => {
    it("is stored and returned: system headers unchanged, user metadata in lower case", async () => {
      const bucket = await freshBucket();
      const headers = {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "max-age=60",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de, en",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "X-Amz-Meta-Build-SHA": "abc DEF",
        "x-amz-meta-with.dot_and-dash": "1",
        "x-amz-meta-empty": "",
      };
      await send("PUT", `/${bucket}/k`, { body: "x", headers });
      const stored = Object.fromEntries((await send("HEAD", `/${bucket}/k`)).headers);
      expect(stored).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "max-age=60",
        "content-disposition": 'attachment; filename="a b.txt"',
        "content-encoding": "gzip",
        "content-language": "de, en",
        expires: "Wed, 21 Oct 2037 07:28:00 GMT",
        "x-amz-meta-build-sha": "abc DEF",
        "x-amz-meta-with.dot_and-dash": "1",
        "x-amz-meta-empty": "",
      });
    });

    it("is returned as an RFC 2047 encoded word when it is not ASCII", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/k`, { headers: { "x-amz-meta-name": "Gr\u00fc\u00dfe \u{1f600}" } });
      const value = (await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-name");
      expect(value).toBe(`=?UTF-8?B?${btoa(String.fromCharCode(...utf8("Gr\u00fc\u00dfe \u{1f600}")))}?=`);
    });

    it("can have 2048 bytes of names and values and not one more", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-meta-ab": "x".repeat(2000), "x-amz-meta-cd": "y".repeat(44) };
      expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-ab")).toBe("x".repeat(2000));
      await expectRefused(
        { status: 400, code: "MetadataTooLarge", fields: { Size: "2049", MaxSizeAllowed: "2048" } },
        { headers: { ...headers, "x-amz-meta-cd": "y".repeat(45) } },
      );
      const encoded = encodeURIComponent("\u00e9".repeat(1024));
      await expectS3Error(await deliver(await presigned("PUT", `/${bucket}/k?x-amz-meta-ab=${encoded}`)), {
        status: 400,
        code: "MetadataTooLarge",
        fields: { Size: "2050", MaxSizeAllowed: "2048" },
      });
    });

    it("can have the names of JavaScript's properties", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-meta-__proto__": "1", "x-amz-meta-constructor": "2", "x-amz-meta-tostring": "3" };
      await send("PUT", `/${bucket}/k`, { headers });
      expect(Object.fromEntries((await send("HEAD", `/${bucket}/k`)).headers)).toMatchObject({
        "x-amz-meta-constructor": "2",
        "x-amz-meta-tostring": "3",
      });
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-meta-__proto__")).toBe("1");
    });

    it("is also written as recovery metadata, from which the row can be rebuilt", async () => {
      const bucket = await freshBucket();
      const headers = { "content-type": "text/x-a", "x-amz-meta-a": "1", "cache-control": "no-cache" };
      await send("PUT", `/${bucket}/a%20b`, { body: "x", headers }, IN_STORE);
      const { objects } = await storedStateOf(bucket);
      const blob = await env.BLOBS.head(objects["a b"]?.blob_id ?? "");
      expect(blob?.customMetadata).toEqual({
        bucket: await bucketId(bucket),
        name: bucket,
        key: '"a b"',
        seen: "none",
        type: '"text/x-a"',
        user: '{"a":"1"}',
        system: '{"cache-control":"no-cache"}',
      });
      expect(blob?.key).toMatch(new RegExp(`^${await bucketId(bucket)}/[0-9a-v]{36}$`));
    });
  });

  describe("storage class", () => {
    it.each(["REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"])(
      "%s is stored and returned",
      async (storageClass) => {
        const bucket = await freshBucket();
        const headers = { "x-amz-storage-class": storageClass };
        expect((await send("PUT", `/${bucket}/k`, { headers })).status).toBe(200);
        expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-storage-class")).toBe(storageClass);
      },
    );

    it("STANDARD is not returned", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/k`, { headers: { "x-amz-storage-class": "STANDARD" } });
      expect((await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-storage-class")).toBeNull();
    });

    it.each(["glacier", "standard", "", "X"])("returns InvalidStorageClass: %j", async (storageClass) => {
      await expectRefused(
        { status: 400, code: "InvalidStorageClass", fields: { StorageClassRequested: storageClass } },
        { headers: { "x-amz-storage-class": storageClass } },
      );
    });
  });
});

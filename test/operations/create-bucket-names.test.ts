// CreateBucket's bucket names: valid, invalid and reserved ones.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";

describe("CreateBucket", () => {
  describe("the name", () => {
    const strict = ["ab", "a".repeat(64), "Abc", "a_b", "-abc", "abc-", "a.b.c", "a..b", "192.168.0.1", "a%20b"];

    const reserved = [
      "xn--abc",
      "sthree-abc",
      "amzn-s3-demo-abc",
      "abc-s3alias",
      "abc--ol-s3",
      "abc--x-s3",
      "abc--table-s3",
      "cw-abc",
      "vip-abc",
      "log-stitcher-ch-abc",
      "int",
      "cdn-cgi",
    ];

    it.each([...strict, ...reserved])("returns InvalidBucketName: %s", async (name) => {
      const fields = { BucketName: decodeURIComponent(name) };
      await expectS3Error(await send("PUT", `/${name}`), { status: 400, code: "InvalidBucketName", fields });
      const row = await env.DB.prepare("SELECT 1 FROM buckets WHERE name = ?").bind(fields.BucketName).first();
      expect(row).toBeNull();
    });

    it("returns InvalidBucketName when it is missing before a key: PUT //key creates no bucket", async () => {
      for (const target of ["//key", "//"]) {
        await expectS3Error(await send("PUT", target), {
          status: 400,
          code: "InvalidBucketName",
          fields: { BucketName: "" },
        });
      }
    });

    it("can contain dots by AWS's rules when the setting allows them", async () => {
      const scope = { BUCKET_NAMES: "aws" };
      const name = `${freshBucketName().slice(0, 20)}.example.com`;
      expect((await send("PUT", `/${name}`, {}, scope)).status).toBe(200);
      expect((await send("GET", `/${name}`)).status).toBe(200);
      for (const refused of ["a..b", "192.168.0.1", ".abc", "abc.", "abc.mrap", "a_b"]) {
        await expectS3Error(await send("PUT", `/${refused}`, {}, scope), {
          status: 400,
          code: "InvalidBucketName",
          fields: { BucketName: refused },
        });
      }
    });

    it("can have 3 to 63 characters", async () => {
      const random = crypto.randomUUID().replaceAll("-", "");
      for (const name of [random.slice(0, 3), random.repeat(2).slice(0, 63)]) {
        expect((await send("PUT", `/${name}`)).status, name).toBe(200);
      }
    });

    it("is reserved by the setting's list", async () => {
      const scope = { RESERVED_BUCKET_NAMES: "exact-name, kept-*" };
      for (const name of ["exact-name", "kept-back"]) {
        await expectS3Error(await send("PUT", `/${name}`, {}, scope), {
          status: 400,
          code: "InvalidBucketName",
          fields: { BucketName: name },
        });
      }
      const name = `cw-${crypto.randomUUID()}`;
      expect((await send("PUT", `/${name}`, {}, scope)).status).toBe(200);
    });
  });
});

// CreateBucket's CreateBucketConfiguration: LocationConstraint, Tags and malformed documents.
import { describe, expect, it } from "vitest";

import { send, streamOf } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { CREATION_ROUND_TRIPS } from "../support/placement.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { tagsOf } from "../support/tagging.ts";
import { allow, freshUser } from "../support/users.ts";
import { configuration, configurationOf, exists, expectRefused, statement } from "./create-bucket-fixture.ts";

async function regionOf(name: string): Promise<string | null> {
  const response = await send("HEAD", `/${name}`);
  return response.status === 200 ? response.headers.get("x-amz-bucket-region") : null;
}

describe("CreateBucket", () => {
  describe("LocationConstraint", () => {
    it("defaults to the setting's region", async () => {
      for (const body of [undefined, "", "<CreateBucketConfiguration/>", configuration("")]) {
        const name = freshBucketName();
        expect((await send("PUT", `/${name}`, { body }, { REGION: "eu-north-9" })).status).toBe(200);
        expect(await regionOf(name), body).toBe("eu-north-9");
      }
    });

    it("accepts any region", async () => {
      for (const region of ["auto", "EU", "us-east-1", "ap-southeast-2"]) {
        const name = freshBucketName();
        expect((await send("PUT", `/${name}`, { body: configuration(region) })).status).toBe(200);
        expect(await regionOf(name)).toBe(region);
      }
    });

    it("is read from a document with a declaration, a byte order mark, another namespace or none", async () => {
      for (const body of [
        `\ufeff<?xml version="1.0" encoding="UTF-8"?>\n${configuration("auto")}`,
        configuration("auto", ""),
        configuration("auto", ' xmlns="urn:other"'),
        '<a:CreateBucketConfiguration xmlns:a="urn:a"><a:LocationConstraint>auto</a:LocationConstraint></a:CreateBucketConfiguration>',
      ]) {
        const name = freshBucketName();
        expect((await send("PUT", `/${name}`, { body })).status, body).toBe(200);
        expect(await regionOf(name)).toBe("auto");
      }
    });

    it("returns InvalidLocationConstraint when it cannot be a region", async () => {
      for (const region of ["a", "eu west", "x".repeat(65), "eu_west"]) {
        await expectRefused(
          { status: 400, code: "InvalidLocationConstraint", fields: { LocationConstraint: region } },
          { body: configuration(region) },
        );
      }
    });

    it("is required when the setting requires it", async () => {
      const demanding = { REQUIRE_LOCATION_CONSTRAINT: "true" };
      await expectRefused({ status: 400, code: "IllegalLocationConstraintException" }, {}, demanding);
      await expectRefused(
        { status: 400, code: "IllegalLocationConstraintException" },
        { body: configuration("") },
        demanding,
      );
      const name = freshBucketName();
      expect((await send("PUT", `/${name}`, { body: configuration("auto") }, demanding)).status).toBe(200);
      expect(await exists(name)).toBe(true);
    });
  });

  describe("the document", () => {
    it("returns MalformedXML when it is not a CreateBucketConfiguration", async () => {
      for (const body of [
        "no xml",
        "<CreateBucketConfiguration>",
        "<Other><LocationConstraint>auto</LocationConstraint></Other>",
        configuration("auto").replace("</Create", "<LocationConstraint>auto</LocationConstraint></Create"),
        "<CreateBucketConfiguration><Unknown/></CreateBucketConfiguration>",
        `${configuration("auto")}${configuration("auto")}`,
        `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${configuration("&e;")}`,
        configuration("&unknown;"),
        "<CreateBucketConfiguration><__proto__/></CreateBucketConfiguration>",
      ]) {
        await expectRefused({ status: 400, code: "MalformedXML" }, { body });
      }
    });

    it("returns MalformedXML when it is not UTF-8 or exceeds 2 MiB", async () => {
      await expectRefused({ status: 400, code: "MalformedXML" }, { body: Uint8Array.of(0x3c, 0xff, 0x3e) });
      await expectRefused({ status: 400, code: "MalformedXML" }, { body: new Uint8Array(2 * 1024 * 1024 + 1) });
    });

    it("returns NotImplemented for the location and bucket types of directory buckets", async () => {
      for (const field of ["Location", "Bucket"]) {
        await expectRefused(
          { status: 501, code: "NotImplemented", fields: { Header: field } },
          { body: `<CreateBucketConfiguration><${field}/></CreateBucketConfiguration>` },
        );
      }
    });

    it("is verified against the digests in the request", async () => {
      const body = configuration("auto");
      const right = { "content-md5": md5Base64(utf8(body)), "x-amz-checksum-crc32": checksum("CRC32", utf8(body)) };
      const name = freshBucketName();
      expect((await send("PUT", `/${name}`, { body, headers: right })).status).toBe(200);
      await expectRefused(
        {
          status: 400,
          code: "BadDigest",
          fields: { ExpectedDigest: md5Base64(utf8("")), CalculatedDigest: right["content-md5"] },
        },
        { body, headers: { "content-md5": md5Base64(utf8("")) } },
      );
      await expectRefused(
        { status: 400, code: "BadDigest" },
        { body, headers: { "x-amz-checksum-crc32": "AAAAAA==" } },
      );
    });

    it("is rejected without a length", async () => {
      await expectRefused(
        { status: 411, code: "MissingContentLength" },
        { body: streamOf([utf8(configuration("auto"))]) },
      );
    });
  });

  describe("Tags", () => {
    it("become those of the bucket", async () => {
      const name = freshBucketName();
      const response = await send("PUT", `/${name}`, { body: configurationOf({ a: "1", "b c": "" }, "EU") });
      expect(response.status).toBe(200);
      expect(costOf(response)).toMatchObject({ roundTrips: CREATION_ROUND_TRIPS, rowsWritten: 1 });
      expect(await tagsOf(`/${name}?tagging`)).toEqual({ a: "1", "b c": "" });
      expect(await regionOf(name)).toBe("EU");
    });

    it("can be empty, which leaves the bucket without a tag set", async () => {
      const name = freshBucketName();
      expect((await send("PUT", `/${name}`, { body: configurationOf({}) })).status).toBe(200);
      await expectS3Error(await send("GET", `/${name}?tagging`), {
        status: 404,
        code: "NoSuchTagSet",
        fields: { BucketName: name },
      });
    });

    it("are rejected like those of PutBucketTagging", async () => {
      const tagKey = { TagKey: "aws:a" };
      await expectRefused(
        { status: 400, code: "InvalidTag", fields: tagKey },
        { body: configurationOf({ "aws:a": "1" }) },
      );
      const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, ""]));
      await expectRefused({ status: 400, code: "BadRequest" }, { body: configurationOf(many) });
      const twice = "<Tag><Key>a</Key><Value/></Tag>".repeat(2);
      const body = `<CreateBucketConfiguration><Tags>${twice}</Tags></CreateBucketConfiguration>`;
      await expectRefused({ status: 400, code: "InvalidTag", fields: { TagKey: "a" } }, { body });
    });

    it("require a permission of their own", async () => {
      const user = await freshUser();
      await allow(user, statement("Allow", "s3:CreateBucket", "*"));
      const options = { body: configurationOf({ a: "1" }), credentials: user.credentials };
      await expectRefused({ status: 403, code: "AccessDenied" }, options);
      await allow(user, statement("Allow", ["s3:CreateBucket", "s3:TagResource"], "*"));
      expect((await send("PUT", `/${freshBucketName()}`, options)).status).toBe(200);
    });
  });
});

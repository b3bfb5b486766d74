import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { ALL_USERS, AUTHENTICATED_USERS, grantsOf, OWNER, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { anonymous, deliver, send, streamOf, type SendOptions, type RequestScope } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { tagsOf } from "../support/tagging.ts";
import { allow, freshUser } from "../support/users.ts";

const NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

function configuration(constraint: string, attributes = ` xmlns="${NAMESPACE}"`): string {
  return `<CreateBucketConfiguration${attributes}><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>`;
}

function configurationOf(tags: Readonly<Record<string, string>>, constraint?: string): string {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  const location = constraint === undefined ? "" : `<LocationConstraint>${constraint}</LocationConstraint>`;
  return `<CreateBucketConfiguration>${location}<Tags>${set.join("")}</Tags></CreateBucketConfiguration>`;
}

function statement(Effect: string, Action: string | readonly string[], Resource: string): object {
  return { Effect, Action, Resource };
}

async function regionOf(name: string): Promise<string | null> {
  const response = await send("HEAD", `/${name}`);
  return response.status === 200 ? response.headers.get("x-amz-bucket-region") : null;
}

async function exists(name: string): Promise<boolean> {
  return (await send("HEAD", `/${name}`)).status === 200;
}

/** Asserts that a CreateBucket is rejected and that no such bucket exists afterwards. */
async function expectRefused(
  expected: Parameters<typeof expectS3Error>[1],
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<void> {
  const name = freshBucketName();
  await expectS3Error(await send("PUT", `/${name}`, options, scope), expected);
  expect(await exists(name)).toBe(false);
}

describe("CreateBucket", () => {
  it("creates a bucket, names it in Location and returns no body", async () => {
    const name = freshBucketName();
    const response = await send("PUT", `/${name}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("location")).toBe(`/${name}`);
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(await exists(name)).toBe(true);
  });

  it("ignores a slash after the name", async () => {
    const name = freshBucketName();
    expect((await send("PUT", `/${name}/`)).status).toBe(200);
    expect(await exists(name)).toBe(true);
  });

  it("assigns the bucket to the account of the settings", async () => {
    const name = freshBucketName();
    expect((await send("PUT", `/${name}`, {}, { ACCOUNT_ID: "123456789012" })).status).toBe(200);
    const row = await env.DB.prepare("SELECT owner_id, versioning FROM buckets WHERE name = ?").bind(name).first();
    expect(row).toEqual({ owner_id: "123456789012", versioning: null });
  });

  it("costs one round trip and one written row", async () => {
    const response = await send("PUT", `/${freshBucketName()}`);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
  });

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

  describe("recreated by its owner", () => {
    const row = (name: string) => env.DB.prepare("SELECT * FROM buckets WHERE name = ?").bind(name).first();

    it("without a LocationConstraint returns 200 and changes nothing", async () => {
      const name = freshBucketName();
      await send("PUT", `/${name}`, { body: configuration("EU") });
      const before = await row(name);
      for (const options of [
        {},
        { body: configuration("") },
        { body: configurationOf({ b: "2" }) },
        { headers: { "x-amz-object-ownership": "ObjectWriter" } },
      ]) {
        const response = await send("PUT", `/${name}`, options);
        expect(response.status).toBe(200);
        expect(response.headers.get("location")).toBe(`/${name}`);
        expect(await row(name)).toEqual(before);
      }
    });

    it("by a user of the account with the right returns BucketAlreadyExists to another user", async () => {
      const name = freshBucketName();
      await send("PUT", `/${name}`);
      const user = await freshUser();
      await allow(user, statement("Allow", "s3:CreateBucket", "*"));
      await expectS3Error(await send("PUT", `/${name}`, { credentials: user.credentials }), {
        status: 409,
        code: "BucketAlreadyExists",
        fields: { BucketName: name },
      });
    });
  });

  describe("Tags", () => {
    it("become those of the bucket", async () => {
      const name = freshBucketName();
      const response = await send("PUT", `/${name}`, { body: configurationOf({ a: "1", "b c": "" }, "EU") });
      expect(response.status).toBe(200);
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 1 });
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

  it("returns BucketAlreadyOwnedByYou to its owner and BucketAlreadyExists to others, and changes nothing", async () => {
    const name = freshBucketName();
    await send("PUT", `/${name}`, { body: configuration("auto") });
    const row = () => env.DB.prepare("SELECT * FROM buckets WHERE name = ?").bind(name).first();
    const before = await row();
    await expectS3Error(await send("PUT", `/${name}`, { body: configuration("EU") }), {
      status: 409,
      code: "BucketAlreadyOwnedByYou",
      fields: { BucketName: name },
    });
    await expectS3Error(await send("PUT", `/${name}`, {}, { ACCOUNT_ID: "999999999999" }), {
      status: 409,
      code: "BucketAlreadyExists",
      fields: { BucketName: name },
    });
    expect(await row()).toEqual(before);
  });

  it("lets exactly one of many concurrent requests succeed", async () => {
    const name = freshBucketName();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => send("PUT", `/${name}`, { body: configuration("auto") })),
    );
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  describe("ownership and ACLs", () => {
    async function ownershipOf(name: string): Promise<string> {
      const text = await (await send("GET", `/${name}?ownershipControls`)).text();
      return /<ObjectOwnership>(\w+)</.exec(text)?.[1] ?? text;
    }

    it("accepts ACLs equal to the default while ACLs are disabled", async () => {
      for (const headers of [
        { "x-amz-acl": "private" },
        { "x-amz-acl": "bucket-owner-full-control" },
        { "x-amz-acl": "bucket-owner-read" },
        { "x-amz-grant-full-control": `id="${OWNER}"` },
      ]) {
        const name = freshBucketName();
        expect((await send("PUT", `/${name}`, { headers })).status).toBe(200);
        expect(await grantsOf(`${name}?acl`)).toEqual(PRIVATE);
      }
    });

    it.each([
      { "x-amz-acl": "public-read" },
      { "x-amz-acl": "public-read", "x-amz-object-ownership": "BucketOwnerEnforced" },
      { "x-amz-grant-read": `uri="${ALL_USERS}"` },
    ])("rejects other ACLs while they are disabled: %j", async (headers) => {
      const name = freshBucketName();
      await expectS3Error(await send("PUT", `/${name}`, { headers }), {
        status: 400,
        code: "InvalidBucketAclWithObjectOwnership",
        message: "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        fields: { BucketName: name },
      });
      expect(await exists(name)).toBe(false);
    });

    it("accepts an ownership, and an ACL with it", async () => {
      const name = freshBucketName();
      const headers = { "x-amz-object-ownership": "BucketOwnerPreferred", "x-amz-acl": "public-read" };
      expect((await send("PUT", `/${name}`, { headers })).status).toBe(200);
      expect(await ownershipOf(name)).toBe("BucketOwnerPreferred");
      expect(await grantsOf(`${name}?acl`)).toEqual(PUBLIC_READ);

      const other = freshBucketName();
      const grants = { "x-amz-object-ownership": "ObjectWriter", "x-amz-grant-read": `uri="${AUTHENTICATED_USERS}"` };
      expect((await send("PUT", `/${other}`, { headers: grants })).status).toBe(200);
      expect(await ownershipOf(other)).toBe("ObjectWriter");
      expect(await grantsOf(`${other}?acl`)).toEqual([`${AUTHENTICATED_USERS} READ`]);
    });

    it("uses the ownership of the setting by default", async () => {
      const cases = [
        [undefined, {}, "BucketOwnerEnforced"],
        ["ObjectWriter", {}, "ObjectWriter"],
        ["BucketOwnerPreferred", { "x-amz-acl": "public-read" }, "BucketOwnerPreferred"],
        ["ObjectWriter", { "x-amz-object-ownership": "BucketOwnerEnforced" }, "BucketOwnerEnforced"],
        ["BucketOwnerEnforced", { "x-amz-object-ownership": "ObjectWriter" }, "ObjectWriter"],
        ["Everyone", {}, "BucketOwnerEnforced"],
      ] as const;
      for (const [setting, headers, expected] of cases) {
        const name = freshBucketName();
        const scope = setting === undefined ? {} : { DEFAULT_OBJECT_OWNERSHIP: setting };
        expect((await send("PUT", `/${name}`, { headers }, scope)).status).toBe(200);
        expect(await ownershipOf(name)).toBe(expected);
      }
    });

    it.each([
      [
        { "x-amz-object-ownership": "Everyone" },
        {
          status: 400,
          code: "InvalidArgument",
          message: "Invalid x-amz-object-ownership header: Everyone",
          fields: { ArgumentName: "x-amz-object-ownership" },
        },
      ],
      [
        { "x-amz-acl": "everybody" },
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "x-amz-acl", ArgumentValue: "everybody" } },
      ],
      [
        { "x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/AllUsers"' },
        {
          status: 400,
          code: "InvalidArgument",
          message: "Invalid group uri",
          fields: { ArgumentName: "uri", ArgumentValue: "http://acs.amazonaws.com/groups/AllUsers" },
        },
      ],
    ])("is refused for headers that mean nothing: %j", async (headers, expected) =>
      expectRefused(expected, { headers }),
    );
  });

  it("accepts object lock disabled, and rejects it enabled", async () => {
    const header = "x-amz-bucket-object-lock-enabled";
    expect((await send("PUT", `/${freshBucketName()}`, { headers: { [header]: "false" } })).status).toBe(200);
    await expectRefused(
      { status: 501, code: "NotImplemented", fields: { Header: header } },
      { headers: { [header]: "true" } },
    );
  });

  it("rejects anonymous requests", async () => {
    const name = freshBucketName();
    await expectS3Error(await deliver(anonymous("PUT", `/${name}`)), { status: 403, code: "AccessDenied" });
    expect(await exists(name)).toBe(false);
  });
});

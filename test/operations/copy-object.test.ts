import { describe, expect, it } from "vitest";

import { collectGarbage as collector } from "../../src/jobs/collect-garbage.ts";
import { ACLS_OFF, aclBucket, blockPublicAcls, grantsOf, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { namesOf, readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { tagsOf } from "../support/tagging.ts";
import { allow, freshUser } from "../support/users.ts";
import {
  bodyOf,
  deleteKey,
  putVersion,
  removeVersion,
  setVersioning,
  versionedBucket,
  versionsOf,
} from "../support/versioning.ts";

type Headers = NonNullable<SendOptions["headers"]>;

function copy(source: string, bucket: string, key: string, headers: Headers = {}): Promise<Response> {
  const target = `/${bucket}/${encodeURIComponent(key)}`;
  return send("PUT", target, { headers: { "x-amz-copy-source": source, ...headers } });
}

async function bucketOf(objects: Readonly<Record<string, string>>): Promise<string> {
  const bucket = await freshBucket();
  await putAll(bucket, objects);
  return bucket;
}

async function expectRefused(bucket: string, request: () => Promise<Response>, expected: ExpectedError): Promise<void> {
  await expectUntouched(bucket, async () => expectS3Error(await request(), expected));
}

/** The headers of a HEAD that describe the object itself. */
async function described(bucket: string, key: string): Promise<Record<string, string>> {
  const { headers } = await send("HEAD", `/${bucket}/${key}`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
  const ofRequest = new Set(["date", "x-amz-request-id", "x-amz-id-2", "server-timing", "last-modified"]);
  return Object.fromEntries(Array.from(headers).filter(([name]) => !ofRequest.has(name)));
}

/** Collects the garbage of all buckets, as if two days had passed. */
async function collectGarbage(): Promise<void> {
  await runPass(collector, Date.now() + 48 * 3_600_000);
}

const METADATA = {
  "content-type": "text/css",
  "cache-control": "max-age=60",
  "content-disposition": "inline",
  "content-encoding": "gzip",
  "content-language": "de",
  expires: "Wed, 21 Oct 2037 07:28:00 GMT",
  "x-amz-meta-m": "1",
};
const PAST = "Sat, 01 Jan 2000 00:00:00 GMT";
const FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT";

describe("CopyObject", () => {
  it("copies an object and returns the copy's ETag, date and checksum", async () => {
    const bucket = await bucketOf({ a: "abc" });
    const response = await copy(`/${bucket}/a`, bucket, "b");
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    for (const name of ["x-amz-version-id", "x-amz-copy-source-version-id"]) {
      expect(response.headers.get(name)).toBeNull();
    }
    const root = readXml(await response.text());
    expect(root.name).toBe("CopyObjectResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual(["LastModified", "ETag", "ChecksumCRC64NVME", "ChecksumType"]);
    expect(textOf(root, "ETag")).toBe(`"${md5Hex("abc")}"`);
    expect(textOf(root, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", utf8("abc")));
    expect(textOf(root, "ChecksumType")).toBe("FULL_OBJECT");
    const modified = Date.parse(textOf(root, "LastModified") ?? "");
    const shown = (await send("HEAD", `/${bucket}/b`)).headers.get("last-modified") ?? "";
    expect(Math.floor(modified / 1000) * 1000).toBe(Date.parse(shown));
    expect(await bodyOf(bucket, "b")).toBe("abc");
    expect(await bodyOf(bucket, "a")).toBe("abc");
    await expectBalanced(bucket);
  });

  it("copies into another bucket", async () => {
    const [bucket, other] = [await bucketOf({ a: "x" }), await freshBucket()];
    expect((await copy(`${bucket}/a`, other, "deep/b")).status).toBe(200);
    expect(await bodyOf(other, "deep/b")).toBe("x");
    await send("DELETE", `/${bucket}/a`);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    await collectGarbage();
    expect(await bodyOf(other, "deep/b")).toBe("x");
  });

  describe("directives", () => {
    const source = { ...METADATA, "x-amz-tagging": "a=1&b=2", "x-amz-storage-class": "STANDARD_IA" };

    it("copy metadata and tags by default, and never the storage class", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const before = await described(bucket, "a");
      for (const headers of [
        {},
        { "x-amz-metadata-directive": "COPY", "x-amz-tagging-directive": "COPY" },
        { "content-type": "text/html", "x-amz-meta-n": "2", "x-amz-tagging": "c=3" },
      ]) {
        await copy(`${bucket}/a`, bucket, "b", headers);
        const { "x-amz-storage-class": _, ...rest } = before;
        expect(await described(bucket, "b")).toEqual(rest);
        expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ a: "1", b: "2" });
      }
    });

    it("replace all metadata", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const headers = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-n": "2" };
      expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
      const after = await described(bucket, "b");
      expect(after["x-amz-meta-n"]).toBe("2");
      expect(after["content-type"]).toBe("binary/octet-stream");
      for (const name of Object.keys(METADATA).filter((name) => name !== "content-type")) {
        expect(after[name], name).toBeUndefined();
      }
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ a: "1", b: "2" });
    });

    it("replace all tags", async () => {
      const bucket = await freshBucket();
      await send("PUT", `/${bucket}/a`, { body: "x", headers: source });
      const replace = { "x-amz-tagging-directive": "REPLACE" };
      await copy(`${bucket}/a`, bucket, "b", { ...replace, "x-amz-tagging": "c=3" });
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({ c: "3" });
      await copy(`${bucket}/a`, bucket, "b", replace);
      expect(await tagsOf(`/${bucket}/b?tagging`)).toEqual({});
      expect((await described(bucket, "b"))["content-type"]).toBe("text/css");
    });

    it("give the copy the requested storage class", async () => {
      const bucket = await bucketOf({ a: "x" });
      await copy(`${bucket}/a`, bucket, "b", { "x-amz-storage-class": "ONEZONE_IA" });
      expect((await described(bucket, "b"))["x-amz-storage-class"]).toBe("ONEZONE_IA");
    });

    it.each([
      ["x-amz-metadata-directive", "Unknown metadata directive."],
      ["x-amz-tagging-directive", "Unknown tagging directive."],
    ])("with invalid values are rejected: %s", async (name, message) => {
      const bucket = await bucketOf({ a: "x" });
      await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", { [name]: "MERGE" }), {
        status: 400,
        code: "InvalidArgument",
        message,
        fields: { ArgumentName: name, ArgumentValue: "MERGE" },
      });
    });
  });

  describe("onto itself", () => {
    it("is rejected when it would change nothing", async () => {
      const bucket = await bucketOf({ a: "x" });
      for (const headers of [{}, { "x-amz-metadata-directive": "COPY", "x-amz-meta-n": "2" }]) {
        await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "a", headers), {
          status: 400,
          code: "InvalidRequest",
          message:
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        });
      }
    });

    it("replaces its metadata or its storage class, any number of times, and keeps its bytes", async () => {
      const bucket = await bucketOf({ a: "x" });
      for (const turn of ["1", "2", "3"]) {
        const headers = { "x-amz-metadata-directive": "REPLACE", "x-amz-meta-turn": turn };
        expect((await copy(`${bucket}/a`, bucket, "a", headers)).status).toBe(200);
        expect((await described(bucket, "a"))["x-amz-meta-turn"]).toBe(turn);
        await expectBalanced(bucket);
      }
      expect((await copy(`${bucket}/a`, bucket, "a", { "x-amz-storage-class": "STANDARD_IA" })).status).toBe(200);
      expect((await storedStateOf(bucket)).garbage).toEqual([]);
      await collectGarbage();
      expect(await bodyOf(bucket, "a")).toBe("x");
      await expectBalanced(bucket);
    });

    it("makes an older version current", async () => {
      const bucket = await versionedBucket();
      const first = await putVersion(bucket, "k", "first");
      const second = await putVersion(bucket, "k", "second");
      const response = await copy(`${bucket}/k?versionId=${first}`, bucket, "k");
      expect(response.headers.get("x-amz-copy-source-version-id")).toBe(first);
      const third = response.headers.get("x-amz-version-id") ?? "";
      expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual([third, second, first]);
      expect(await bodyOf(bucket, "k")).toBe("first");
      await removeVersion(bucket, "k", first);
      await collectGarbage();
      expect(await bodyOf(bucket, "k")).toBe("first");
      await expectBalanced(bucket);
    });
  });

  it("decodes every encoding of the source", async () => {
    const cases = [
      ["a/b c", (bucket: string, key: string) => `${bucket}/${key}`],
      ["a/b c", (bucket: string, key: string) => `/${bucket}/${encodeURI(key)}`],
      ["a b/é+", (bucket: string, key: string) => `/${bucket}/${encodeURIComponent(key)}`],
      ["é", (bucket: string, key: string) => encodeURIComponent(`${bucket}/${key}`)],
      ["é", (bucket: string, key: string) => `${bucket}/${key}`],
      ["a+b", (bucket: string, key: string) => `${bucket}/${key}`],
      ["100%", (bucket: string, key: string) => `${bucket}/${key}`],
      ["/lead", (bucket: string, key: string) => `${bucket}/${key}`],
      ["dir/", (bucket: string, key: string) => `${bucket}/${key}`],
      ["a?b", (bucket: string, key: string) => `${bucket}/${key}`],
      ["a?versionId=x", (bucket: string, key: string) => `${bucket}/${encodeURIComponent(key)}`],
    ] as const;
    for (const [key, write] of cases) {
      const bucket = await bucketOf({ [key]: key });
      const source = write(bucket, key);
      expect((await copy(source, bucket, "copy")).status, source).toBe(200);
      expect(await bodyOf(bucket, "copy")).toBe(key);
    }
  });

  it("copies the named or the current version, and names it in a versioned bucket", async () => {
    const bucket = await bucketOf({ k: "null" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "first");
    const second = await putVersion(bucket, "k", "second");
    const other = await freshBucket();
    for (const [query, versionId, body] of [
      ["", second, "second"],
      [`?versionId=${first}`, first, "first"],
      ["?versionId=null", "null", "null"],
    ] as const) {
      const response = await copy(`${bucket}/k${query}`, other, "copy");
      expect(response.status).toBe(200);
      expect(response.headers.get("x-amz-copy-source-version-id")).toBe(versionId);
      expect(response.headers.get("x-amz-version-id")).toBeNull();
      expect(await bodyOf(other, "copy")).toBe(body);
    }
  });

  it("copies into the null version while versioning is suspended", async () => {
    const bucket = await bucketOf({ a: "new", b: "null" });
    await setVersioning(bucket, "Enabled");
    const kept = await putVersion(bucket, "b", "kept");
    await setVersioning(bucket, "Suspended");
    const response = await copy(`${bucket}/a`, bucket, "b");
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expect(response.headers.get("x-amz-copy-source-version-id")).toBe("null");
    expect((await versionsOf(bucket)).map(({ key, versionId }) => `${key} ${versionId}`)).toEqual([
      "a null",
      "b null",
      `b ${kept}`,
    ]);
    expect(await bodyOf(bucket, "b", "null")).toBe("new");
    await expectBalanced(bucket);
  });

  it("rejects missing sources and changes nothing", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "gone", "x");
    const marker = await deleteKey(bucket, "gone");
    await putVersion(bucket, "k", "x");
    const absent = "0".repeat(32);
    const missing = freshBucketName();
    const invalid = (value: string, message: string): ExpectedError => ({
      status: 400,
      code: "InvalidArgument",
      message,
      fields: { ArgumentName: "x-amz-copy-source", ArgumentValue: value },
    });
    const cases: readonly (readonly [string, ExpectedError])[] = [
      [`${missing}/k`, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
      [`${bucket}/none`, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [`${bucket}/gone`, { status: 404, code: "NoSuchKey", fields: { Key: "gone" } }],
      [
        `${bucket}/gone?versionId=${marker}`,
        {
          status: 400,
          code: "InvalidRequest",
          message: "The source of a copy request may not specifically refer to a delete marker by version id.",
        },
      ],
      [
        `${bucket}/k?versionId=${absent}`,
        { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } },
      ],
      [`${bucket}/k?versionId=x`, invalid(`${bucket}/k?versionId=x`, "Invalid version id specified")],
      [`${bucket}/k?versionId=`, invalid(`${bucket}/k?versionId=`, "Invalid version id specified")],
      [bucket, invalid(bucket, "Invalid copy source object key")],
      [`/${bucket}/`, invalid(`/${bucket}/`, "Invalid copy source object key")],
      ["/", invalid("/", "Invalid copy source object key")],
      ["", invalid("", "Invalid copy source object key")],
    ];
    for (const [source, expected] of cases) await expectRefused(bucket, () => copy(source, bucket, "b"), expected);
  });

  describe("conditions on the source", () => {
    const ETAG = `"${md5Hex("x")}"`;
    const OTHER = `"${md5Hex("y")}"`;
    const name = (condition: string): string => `x-amz-copy-source-${condition}`;

    it.each([
      [{ "if-match": ETAG }, undefined],
      [{ "if-match": ETAG.replaceAll('"', "") }, undefined],
      [{ "if-match": "*" }, undefined],
      [{ "if-match": OTHER }, "If-Match"],
      [{ "if-none-match": OTHER }, undefined],
      [{ "if-none-match": ETAG }, "If-None-Match"],
      [{ "if-none-match": "*" }, "If-None-Match"],
      [{ "if-modified-since": PAST }, undefined],
      [{ "if-modified-since": FUTURE }, undefined],
      [{ "if-unmodified-since": FUTURE }, undefined],
      [{ "if-unmodified-since": PAST }, "If-Unmodified-Since"],
      // AWS's precedence: a true If-Match outweighs the date, and so does a false If-None-Match.
      [{ "if-match": ETAG, "if-unmodified-since": PAST }, undefined],
      [{ "if-match": OTHER, "if-unmodified-since": FUTURE }, "If-Match"],
      [{ "if-none-match": ETAG, "if-modified-since": PAST }, "If-None-Match"],
      [{ "if-match": OTHER, "if-none-match": ETAG }, "If-Match"],
      [{ "if-match": ETAG, "if-none-match": ETAG }, "If-None-Match"],
      [{ "if-unmodified-since": PAST, "if-none-match": ETAG }, "If-Unmodified-Since"],
    ] as const)("%j: refused by %s", async (conditions, refusedBy) => {
      const bucket = await bucketOf({ a: "x" });
      const headers = Object.fromEntries(Object.entries(conditions).map(([key, value]) => [name(key), value]));
      if (refusedBy === undefined) {
        expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
        expect(await bodyOf(bucket, "b")).toBe("x");
      } else {
        await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", headers), {
          status: 412,
          code: "PreconditionFailed",
          message: "At least one of the pre-conditions you specified did not hold",
          fields: { Condition: `x-amz-copy-source-${refusedBy}` },
        });
      }
    });

    it("x-amz-copy-source-if-modified-since rejects an unmodified source, at a precision of a second", async () => {
      const bucket = await bucketOf({ a: "x" });
      const modified = (await send("HEAD", `/${bucket}/a`)).headers.get("last-modified") ?? "";
      await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", { [name("if-modified-since")]: modified }), {
        status: 412,
        code: "PreconditionFailed",
        fields: { Condition: "x-amz-copy-source-If-Modified-Since" },
      });
      expect((await copy(`${bucket}/a`, bucket, "b", { [name("if-unmodified-since")]: modified })).status).toBe(200);
    });
  });

  describe("conditions on the destination", () => {
    it.each([
      ["a free key, none wanted", {}, { "if-none-match": "*" }, undefined],
      [
        "a taken key, none wanted",
        { b: "old" },
        { "if-none-match": "*" },
        { status: 412, code: "PreconditionFailed", fields: { Condition: "If-None-Match" } },
      ],
      ["the wanted object", { b: "old" }, { "if-match": md5Hex("old") }, undefined],
      [
        "another object",
        { b: "old" },
        { "if-match": md5Hex("x") },
        { status: 412, code: "PreconditionFailed", fields: { Condition: "If-Match" } },
      ],
      [
        "a free key, one wanted",
        {},
        { "if-match": md5Hex("x") },
        { status: 404, code: "NoSuchKey", fields: { Key: "b" } },
      ],
    ] as readonly (readonly [string, Record<string, string>, Record<string, string>, ExpectedError | undefined])[])(
      "%s",
      async (_name, objects, headers, expected) => {
        const bucket = await bucketOf({ a: "new", ...objects });
        if (expected === undefined) {
          expect((await copy(`${bucket}/a`, bucket, "b", headers)).status).toBe(200);
          expect(await bodyOf(bucket, "b")).toBe("new");
        } else {
          await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", headers), expected);
        }
        await expectBalanced(bucket);
      },
    );

    it("let one of several copies onto a free key win", async () => {
      const keys = ["a", "b", "c", "d"];
      const bucket = await bucketOf(Object.fromEntries(keys.map((key) => [key, key])));
      const responses = await Promise.all(
        keys.map((key) => copy(`${bucket}/${key}`, bucket, "won", { "if-none-match": "*" })),
      );
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(await bodyOf(bucket, "won")).toBe(keys[statuses.indexOf(200)]);
      await expectBalanced(bucket);
    });
  });

  it("stays readable after its source is deleted and the garbage collected, also as a copy of a copy", async () => {
    const bucket = await bucketOf({ a: "x" });
    const bodies = [largePart(1), utf8("end")];
    await uploadInParts(bucket, "m", bodies);
    for (const key of ["a", "m"]) {
      await copy(`${bucket}/${key}`, bucket, `${key}1`);
      await copy(`${bucket}/${key}1`, bucket, `${key}2`);
      for (const gone of [key, `${key}1`]) {
        await send("DELETE", `/${bucket}/${gone}`);
        await expectBalanced(bucket);
        await collectGarbage();
        await expectBalanced(bucket);
      }
    }
    expect(await bodyOf(bucket, "a2")).toBe("x");
    await expectBytes(await send("GET", `/${bucket}/m2`), joined(bodies));
    for (const key of ["a2", "m2"]) await send("DELETE", `/${bucket}/${key}`);
    await collectGarbage();
    expect((await storedStateOf(bucket)).blobs).toEqual({});
    await expectBalanced(bucket);
  });

  it("keeps the ETag, the checksum and the parts of a multipart object", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "m", [largePart(1), "end"]);
    await copy(`${bucket}/m`, bucket, "copy");
    expect(await described(bucket, "copy")).toEqual(await described(bucket, "m"));
    expect(await (await send("GET", `/${bucket}/copy?partNumber=2`)).text()).toBe("end");
  });

  it("loses no byte against the concurrent deletion and replacement of its source", async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const bucket = await bucketOf({ a: "old" });
      const [copied] = await Promise.all([
        copy(`${bucket}/a`, bucket, "b"),
        turn % 2 === 0 ? send("DELETE", `/${bucket}/a`) : send("PUT", `/${bucket}/a`, { body: "new" }),
      ]);
      expect([200, 404]).toContain(copied.status);
      await collectGarbage();
      if (copied.status === 200) expect(["old", "new"]).toContain(await bodyOf(bucket, "b"));
      await expectBalanced(bucket);
    }
  });

  it("costs the same for one byte as for an object of many parts", async () => {
    const bucket = await bucketOf({ small: "x" });
    await uploadInParts(bucket, "large", [largePart(1), largePart(2), "end"]);
    const costs = [];
    for (const key of ["small", "large"]) costs.push(costOf(await copy(`${bucket}/${key}`, bucket, `${key}.copy`)));
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[0]).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
    expect(costs[0]?.roundTrips).toBeLessThanOrEqual(3);
    expect(costs[0]?.rowsWritten).toBeLessThanOrEqual(5);
  });

  it.each([
    [
      { "x-amz-storage-class": "TAPE" },
      { status: 400, code: "InvalidStorageClass", fields: { StorageClassRequested: "TAPE" } },
    ],
    [{ "x-amz-acl": "public-read" }, ACLS_OFF],
    [
      { "x-amz-website-redirect-location": "/x" },
      { status: 501, code: "NotImplemented", fields: { Header: "x-amz-website-redirect-location" } },
    ],
    [
      { "x-amz-tagging-directive": "REPLACE", "x-amz-tagging": "a=1&a=2" },
      {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "x-amz-tagging", ArgumentValue: "a=1&a=2" },
      },
    ],
    [{ "if-none-match": '"x"' }, { status: 400, code: "InvalidRequest" }],
  ] as const)("refuses %j and changes nothing", async (headers, expected) => {
    const bucket = await bucketOf({ a: "x" });
    await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", headers), expected);
  });

  it("does not copy the source's ACL, and sets the requested one", async () => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/a`, { body: "x", headers: { "x-amz-acl": "public-read" } });
    expect((await copy(`${bucket}/a`, bucket, "b")).status).toBe(200);
    expect(await grantsOf(`${bucket}/b?acl`)).toEqual(PRIVATE);
    expect((await copy(`${bucket}/a`, bucket, "c", { "x-amz-acl": "public-read" })).status).toBe(200);
    expect(await grantsOf(`${bucket}/c?acl`)).toEqual(PUBLIC_READ);
    // Onto itself as well.
    expect((await copy(`${bucket}/a`, bucket, "a", { "x-amz-metadata-directive": "REPLACE" })).status).toBe(200);
    expect(await grantsOf(`${bucket}/a?acl`)).toEqual(PRIVATE);
  });

  it("rejects public ACLs while they are blocked", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { a: "x" });
    await blockPublicAcls(bucket);
    await expectRefused(bucket, () => copy(`${bucket}/a`, bucket, "b", { "x-amz-acl": "public-read" }), {
      status: 403,
      code: "AccessDenied",
    });
  });

  it("does not disclose through its conditions what exists to callers who may not list", async () => {
    const bucket = await bucketOf({ k: "x" });
    const resources = { Effect: "Allow", Resource: `arn:aws:s3:::${bucket}/*` };
    const user = await freshUser({ ...resources, Action: ["s3:PutObject", "s3:GetObject"] });
    const headers = { "x-amz-copy-source": `${bucket}/k`, "if-match": '"x"' };
    const told = async (): Promise<Response> =>
      send("PUT", `/${bucket}/missing`, { headers, credentials: user.credentials });
    await expectS3Error(await told(), { status: 403, code: "AccessDenied" });
    const all = { Effect: "Allow", Resource: `arn:aws:s3:::${bucket}`, Action: "s3:ListBucket" };
    await allow(user, { ...resources, Action: ["s3:PutObject", "s3:GetObject"] }, all);
    await expectS3Error(await told(), { status: 404, code: "NoSuchKey", fields: { Key: "missing" } });
  });

  it("returns NoSuchBucket for a missing target bucket, and rejects anonymous requests", async () => {
    const bucket = await bucketOf({ a: "x" });
    const missing = freshBucketName();
    await expectRefused(bucket, () => copy(`${bucket}/a`, missing, "b"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const headers = { "x-amz-copy-source": `${bucket}/a` };
    await expectRefused(bucket, () => deliver(anonymous("PUT", `/${bucket}/b`, { headers })), {
      status: 403,
      code: "AccessDenied",
    });
  });
});

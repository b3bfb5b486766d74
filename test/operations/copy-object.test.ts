// CopyObject: the source, versions, shared bytes, ACLs and cost.
import { describe, expect, it } from "vitest";

import { ACLS_OFF, aclBucket, blockPublicAcls, grantsOf, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { joined, largePart, uploadInParts } from "../support/multipart.ts";
import { namesOf, readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";
import { bucketOf, collectGarbage, copy, described, expectRefused } from "./copy-object-fixture.ts";

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
    [{ "x-amz-website-redirect-location": "x" }, { status: 400, code: "InvalidRedirectLocation" }],
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

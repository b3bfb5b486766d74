import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { ALGORITHMS, checksum, checksumHeader, md5Hex, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { createUpload, largePart, putPart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { childrenOf, namesOf, plain, readXml, textOf, type Element } from "../support/read-xml.ts";
import { deleteKey, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

const ALL = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";

function ask(target: string, attributes = ALL, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return send("GET", target, { headers: { "x-amz-object-attributes": attributes, ...headers } });
}

async function attributesOf(target: string, attributes = ALL, headers = {}): Promise<Element> {
  const response = await ask(target, attributes, headers);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

/** The fields of ObjectParts without the parts, and the part numbers. */
function partsIn(root: Element): { said: Record<string, string>; numbers: (string | undefined)[] } {
  const [parts] = childrenOf(root, "ObjectParts");
  const children = parts?.children ?? [];
  return {
    said: Object.fromEntries(children.filter(({ name }) => name !== "Part").map(({ name, text }) => [name, text])),
    numbers: children.filter(({ name }) => name === "Part").map((part) => textOf(part, "PartNumber")),
  };
}

describe("GetObjectAttributes", () => {
  it("returns the requested attributes of a single-part object", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "abc", headers: { "x-amz-storage-class": "STANDARD_IA" } });
    const response = await ask(`/${bucket}/k?attributes`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(response.headers.get("last-modified")).toBe(
      (await send("HEAD", `/${bucket}/k`)).headers.get("last-modified"),
    );
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    const root = readXml(await response.text());
    expect(root.name).toBe("GetObjectAttributesResponse");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    // A single-part object has no ObjectParts; the ETag has no quotes here.
    expect(plain(root)).toEqual({
      ETag: md5Hex("abc"),
      Checksum: { ChecksumCRC64NVME: checksum("CRC64NVME", utf8("abc")), ChecksumType: "FULL_OBJECT" },
      StorageClass: "STANDARD_IA",
      ObjectSize: "3",
    });
  });

  it.each(ALGORITHMS)("returns a stored %s", async (algorithm) => {
    const bucket = await freshBucket();
    const value = checksum(algorithm, utf8("abc"));
    await send("PUT", `/${bucket}/k`, { body: "abc", headers: { [checksumHeader(algorithm)]: value } });
    expect(plain(await attributesOf(`/${bucket}/k?attributes`, "Checksum"))).toEqual({
      Checksum: { [`Checksum${algorithm}`]: value, ChecksumType: "FULL_OBJECT" },
    });
  });

  it("returns only the requested attributes, in any order and with blanks", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const [asked, given] of [
      ["ETag", ["ETag"]],
      ["ObjectSize, ETag", ["ETag", "ObjectSize"]],
      ["StorageClass,StorageClass", ["StorageClass"]],
      ["ObjectParts", []],
    ] as const) {
      expect(namesOf(await attributesOf(`/${bucket}/k?attributes`, asked)), asked).toEqual(given);
    }
  });

  it("returns the parts of a composite upload with their checksums, and paginates them", async () => {
    const bucket = await freshBucket();
    const bodies = [largePart(1), largePart(2), utf8("last")];
    const uploadId = await createUpload(bucket, "k", { "x-amz-checksum-algorithm": "SHA256" });
    const parts = [];
    for (const [index, body] of bodies.entries()) parts.push(await putPart(bucket, "k", uploadId, index + 1, body));
    const completed = readXml(await (await sendCompletion(bucket, "k", uploadId, parts)).text());
    const root = await attributesOf(`/${bucket}/k?attributes`);
    expect(textOf(root, "ETag")).toBe(textOf(completed, "ETag")?.replaceAll('"', ""));
    expect(textOf(root, "ObjectSize")).toBe(String(bodies.reduce((sum, { length }) => sum + length, 0)));
    const [shown] = childrenOf(root, "Checksum");
    const value = textOf(completed, "ChecksumSHA256") ?? "";
    expect(value).toMatch(/-3$/);
    expect(shown === undefined ? undefined : plain(shown)).toEqual({
      ChecksumSHA256: value.replace("-3", ""),
      ChecksumType: "COMPOSITE",
    });
    const [listed] = childrenOf(root, "ObjectParts");
    expect(listed === undefined ? [] : namesOf(listed)).toEqual([
      "PartsCount",
      "PartNumberMarker",
      "NextPartNumberMarker",
      "MaxParts",
      "IsTruncated",
      "Part",
      "Part",
      "Part",
    ]);
    expect(listed === undefined ? [] : childrenOf(listed, "Part").map(plain)).toEqual(
      bodies.map((body, index) => ({
        PartNumber: String(index + 1),
        Size: String(body.length),
        ChecksumSHA256: checksum("SHA256", body),
      })),
    );
    const pages = [
      [
        {},
        { PartNumberMarker: "0", NextPartNumberMarker: "3", MaxParts: "1000", IsTruncated: "false" },
        ["1", "2", "3"],
      ],
      [
        { "x-amz-max-parts": "2" },
        { PartNumberMarker: "0", NextPartNumberMarker: "2", MaxParts: "2", IsTruncated: "true" },
        ["1", "2"],
      ],
      [
        { "x-amz-max-parts": "2", "x-amz-part-number-marker": "2" },
        { PartNumberMarker: "2", NextPartNumberMarker: "3", MaxParts: "2", IsTruncated: "false" },
        ["3"],
      ],
      [{ "x-amz-part-number-marker": "3" }, { PartNumberMarker: "3", MaxParts: "1000", IsTruncated: "false" }, []],
      [{ "x-amz-max-parts": "0" }, { PartNumberMarker: "0", MaxParts: "0", IsTruncated: "false" }, []],
      [
        { "x-amz-max-parts": "5000" },
        { PartNumberMarker: "0", NextPartNumberMarker: "3", MaxParts: "1000", IsTruncated: "false" },
        ["1", "2", "3"],
      ],
    ] as const;
    for (const [headers, said, numbers] of pages) {
      expect(partsIn(await attributesOf(`/${bucket}/k?attributes`, "ObjectParts", headers))).toEqual({
        said: { PartsCount: "3", ...said },
        numbers,
      });
    }
  });

  it("returns only the number of parts when they have no checksums of their own", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", [largePart(1), "last"]);
    const response = await ask(`/${bucket}/k?attributes`);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(partsIn(root)).toEqual({ said: { PartsCount: "2" }, numbers: [] });
    expect(textOf(root, "ETag")).toMatch(/^[0-9a-f]{32}-2$/);
    const [shown] = childrenOf(root, "Checksum");
    expect(shown === undefined ? undefined : textOf(shown, "ChecksumType")).toBe("FULL_OBJECT");
  });

  it("returns those of the named version, and names the version", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "11");
    const second = await putVersion(bucket, "k", "222");
    for (const [query, versionId, size] of [
      ["", second, "3"],
      ["&versionId=null", "null", "1"],
      [`&versionId=${first}`, first, "2"],
    ] as const) {
      const response = await ask(`/${bucket}/k?attributes${query}`);
      expect(response.headers.get("x-amz-version-id")).toBe(versionId);
      expect(textOf(readXml(await response.text()), "ObjectSize")).toBe(size);
    }
  });

  it("rejects unknown attributes, and a request without any", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const asked of ["Etag", "ETag,Colour", "ETag,", ""]) {
      await expectS3Error(await ask(`/${bucket}/k?attributes`, asked), {
        status: 400,
        code: "InvalidArgument",
        message: "Invalid attribute name specified.",
        fields: { ArgumentName: "x-amz-object-attributes", ArgumentValue: asked },
      });
    }
    await expectS3Error(await send("GET", `/${bucket}/k?attributes`), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "x-amz-object-attributes", ArgumentValue: "" },
    });
  });

  it("ignores a max-parts or a marker that is no number, as AWS does", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const plain = await (await ask(`/${bucket}/k?attributes`, ALL)).text();
    for (const value of ["", "-1", "x", "1.5", "99999999999999999999"]) {
      const headers = { "x-amz-max-parts": value, "x-amz-part-number-marker": value };
      expect(await (await ask(`/${bucket}/k?attributes`, ALL, headers)).text()).toBe(plain);
    }
  });

  it("rejects delete markers and missing objects", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const marker = await deleteKey(bucket, "k");
    const absent = "0".repeat(32);
    const missing = freshBucketName();
    const current = await ask(`/${bucket}/k?attributes`);
    expect(current.headers.get("x-amz-delete-marker")).toBe("true");
    const cases = [
      [`/${bucket}/k?attributes`, { status: 404, code: "NoSuchKey", fields: { Key: "k" } }],
      [
        `/${bucket}/k?attributes&versionId=${marker}`,
        { status: 405, code: "MethodNotAllowed", fields: { Method: "GET", ResourceType: "DeleteMarker" } },
      ],
      [`/${bucket}/none?attributes`, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [
        `/${bucket}/k?attributes&versionId=${absent}`,
        { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } },
      ],
      [
        `/${bucket}/k?attributes&versionId=x`,
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "versionId", ArgumentValue: "x" } },
      ],
      [`/${missing}/k?attributes`, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
    ] as const;
    for (const [target, expected] of cases) await expectS3Error(await ask(target), expected);
    const headers = { "x-amz-object-attributes": "ETag" };
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}/k?attributes`, { headers })), {
      status: 403,
      code: "AccessDenied",
    });
  });
});

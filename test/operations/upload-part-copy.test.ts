import { describe, expect, it } from "vitest";

import { collectGarbage as collector } from "../../src/jobs/collect-garbage.ts";
import { anonymous, deliver, send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Hex, noise, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { storedStateOf } from "../support/stored-state.ts";
import {
  createUpload,
  joined,
  largePart,
  PART_MIN_BYTES,
  putPart,
  sendCompletion,
  uploadInParts,
  type ListedPart,
} from "../support/multipart.ts";
import { namesOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

type Headers = NonNullable<SendOptions["headers"]>;

interface Target {
  readonly bucket: string;
  readonly uploadId: string;
}

function copyPart(
  { bucket, uploadId }: Target,
  number: number,
  source: string,
  headers: Headers = {},
): Promise<Response> {
  const target = `/${bucket}/k?partNumber=${number}&uploadId=${uploadId}`;
  return send("PUT", target, { headers: { "x-amz-copy-source": source, ...headers } });
}

function rangeOf(first: number, last: number): Headers {
  return { "x-amz-copy-source-range": `bytes=${first}-${last}` };
}

/** Copies a part and returns its entry for a completion. */
async function copiedPart(target: Target, number: number, source: string, headers: Headers = {}): Promise<ListedPart> {
  const response = await copyPart(target, number, source, headers);
  expect(response.status).toBe(200);
  const root = readXml(await response.text());
  const checksums = Object.fromEntries(
    root.children.filter(({ name }) => name.startsWith("Checksum")).map(({ name, text }) => [name, text]),
  );
  return { partNumber: number, etag: textOf(root, "ETag") ?? "", checksums };
}

async function targetIn(bucket: string, headers: Headers = {}): Promise<Target> {
  return { bucket, uploadId: await createUpload(bucket, "k", headers) };
}

async function complete({ bucket, uploadId }: Target, parts: readonly ListedPart[]): Promise<Element> {
  const response = await sendCompletion(bucket, "k", uploadId, parts);
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

async function collectGarbage(): Promise<void> {
  await runPass(collector, Date.now() + 48 * 3_600_000);
}

async function expectRefused(bucket: string, request: () => Promise<Response>, expected: ExpectedError): Promise<void> {
  await expectUntouched(bucket, async () => expectS3Error(await request(), expected));
}

describe("UploadPartCopy", () => {
  it("creates a part from an object and returns its ETag, date and checksum", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { source: "abc" });
    const target = await targetIn(bucket);
    const response = await copyPart(target, 1, `/${bucket}/source`);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-copy-source-version-id")).toBeNull();
    expectAnswerHeaders(response);
    const root = readXml(await response.text());
    expect(root.name).toBe("CopyPartResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual(["LastModified", "ETag", "ChecksumCRC64NVME"]);
    expect(textOf(root, "ETag")).toBe(`"${md5Hex("abc")}"`);
    expect(textOf(root, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", utf8("abc")));
    expect(Math.abs(Date.parse(textOf(root, "LastModified") ?? "") - Date.now())).toBeLessThan(60_000);
    const completed = await complete(target, [{ partNumber: 1, etag: textOf(root, "ETag") ?? "" }]);
    expect(textOf(completed, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", utf8("abc")));
    expect(await bodyOf(bucket, "k")).toBe("abc");
    await expectBalanced(bucket);
  });

  it("combines whole objects, ranges and uploaded parts", async () => {
    const bucket = await freshBucket();
    const source = noise(2 * PART_MIN_BYTES + 10, 5);
    await send("PUT", `/${bucket}/source`, { body: source });
    const target = await targetIn(bucket);
    const first = PART_MIN_BYTES + 3;
    const parts = [
      await copiedPart(target, 1, `${bucket}/source`, rangeOf(0, first - 1)),
      await copiedPart(target, 2, `${bucket}/source`),
      await putPart(bucket, "k", target.uploadId, 3, largePart(1)),
      await copiedPart(target, 4, `${bucket}/source`, rangeOf(first, first)),
    ];
    await complete(target, parts);
    const whole = joined([source.subarray(0, first), source, largePart(1), source.subarray(first, first + 1)]);
    await expectBytes(await send("GET", `/${bucket}/k`), whole);
    for (const [from, to] of [
      [0, 0],
      [first - 2, first + 1],
      [first + source.length - 1, first + source.length],
      [whole.length - 2, whole.length - 1],
    ] as const) {
      const response = await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${from}-${to}` } });
      await expectBytes(response, whole.subarray(from, to + 1));
    }
    await expectBytes(await send("GET", `/${bucket}/k?partNumber=2`), source);
    await expectBalanced(bucket);
  });

  it("copies from multipart objects across their part boundaries", async () => {
    const bucket = await freshBucket();
    const bodies = [largePart(1), largePart(2, 7), utf8("the end")];
    const source = joined(bodies);
    await uploadInParts(bucket, "source", bodies);
    const target = await targetIn(bucket);
    const cut = PART_MIN_BYTES + 100;
    const parts = [
      await copiedPart(target, 1, `${bucket}/source`, rangeOf(50, cut)),
      await copiedPart(target, 2, `${bucket}/source`),
      await copiedPart(target, 3, `${bucket}/source`, rangeOf(source.length - 9, source.length - 1)),
    ];
    await complete(target, parts);
    const whole = joined([source.subarray(50, cut + 1), source, source.subarray(source.length - 9)]);
    await expectBytes(await send("GET", `/${bucket}/k`), whole);
    const border = PART_MIN_BYTES - 50;
    const response = await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${border - 1}-${border + 1}` } });
    await expectBytes(response, whole.subarray(border - 1, border + 2));
    // The copy is copied again, and both sources are deleted.
    const again = await targetIn(bucket);
    await send("DELETE", `/${bucket}/source`);
    const { uploadId } = again;
    const copied = await copiedPart({ bucket, uploadId }, 1, `${bucket}/k`, rangeOf(1, whole.length - 2));
    await send("DELETE", `/${bucket}/k`);
    await expectBalanced(bucket);
    await collectGarbage();
    await expectBalanced(bucket);
    await complete(again, [copied]);
    await expectBytes(await send("GET", `/${bucket}/k`), whole.subarray(1, whole.length - 1));
    await send("DELETE", `/${bucket}/k`);
    await collectGarbage();
    expect((await storedStateOf(bucket)).blobs).toEqual({});
  });

  it("copies from another bucket, which can be deleted afterwards", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    await putAll(other, { source: "theirs" });
    const target = await targetIn(bucket);
    const part = await copiedPart(target, 1, `${other}/source`);
    await send("DELETE", `/${other}/source`);
    expect((await send("DELETE", `/${other}`)).status).toBe(204);
    await collectGarbage();
    await complete(target, [part]);
    await collectGarbage();
    expect(await bodyOf(bucket, "k")).toBe("theirs");
  });

  it("releases its blob references when the part is replaced or the upload aborted", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { source: "x" }, IN_STORE);
    const target = await targetIn(bucket);
    await copiedPart(target, 1, `${bucket}/source`);
    await copiedPart(target, 1, `${bucket}/source`);
    await copiedPart(target, 2, `${bucket}/source`);
    await expectBalanced(bucket);
    await putPart(bucket, "k", target.uploadId, 1, "replaced");
    await expectBalanced(bucket);
    await send("DELETE", `/${bucket}/source`);
    expect((await storedStateOf(bucket)).garbage).toEqual([]);
    await send("DELETE", `/${bucket}/k?uploadId=${target.uploadId}`);
    const { blobs, garbage } = await storedStateOf(bucket);
    expect(garbage).toEqual(Object.keys(blobs));
    await expectBalanced(bucket);
  });

  it("returns the ETag of a copied range, which the completion uses", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { source: "abcdef" });
    const target = await targetIn(bucket);
    const parts = [];
    for (const [first, last] of [
      [0, 2],
      [0, 3],
      [1, 3],
    ] as const) {
      parts.push(await copiedPart(target, 1, `${bucket}/source`, rangeOf(first, last)));
    }
    expect(new Set(parts.map(({ etag }) => etag)).size).toBe(3);
    for (const { etag } of parts) expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const [stale] = parts;
    await expectRefused(
      bucket,
      () => sendCompletion(bucket, "k", target.uploadId, stale === undefined ? [] : [stale]),
      {
        status: 400,
        code: "InvalidPart",
        fields: { UploadId: target.uploadId, PartNumber: "1", ETag: (stale?.etag ?? "").replaceAll('"', "") },
      },
    );
    await complete(target, parts.slice(-1));
    expect(await bodyOf(bucket, "k")).toBe("bcd");
  });

  it("completes an upload that announced a checksum, although that of a copied range is unknown", async () => {
    for (const algorithm of ["CRC32", "SHA256", "CRC64NVME"]) {
      const bucket = await freshBucket();
      await putAll(bucket, { source: "abcdef" }, IN_STORE);
      const target = await targetIn(bucket, { "x-amz-checksum-algorithm": algorithm });
      const part = await copiedPart(target, 1, `${bucket}/source`, rangeOf(1, 3));
      expect(part.checksums).toEqual({});
      const root = await complete(target, [part]);
      expect(textOf(root, `Checksum${algorithm}`)).toBeUndefined();
      expect(await bodyOf(bucket, "k")).toBe("bcd");
    }
  });

  it("copies the named version, and names it in a versioned bucket", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "source", "first");
    const second = await putVersion(bucket, "source", "second");
    for (const [query, versionId, body] of [
      ["", second, "second"],
      [`?versionId=${first}`, first, "first"],
    ] as const) {
      const target = await targetIn(bucket);
      const response = await copyPart(target, 1, `${bucket}/source${query}`);
      expect(response.headers.get("x-amz-copy-source-version-id")).toBe(versionId);
      await complete(target, [{ partNumber: 1, etag: md5Hex(body) }]);
      expect(await bodyOf(bucket, "k")).toBe(body);
    }
  });

  it("rejects malformed ranges and ranges outside the source, and changes nothing", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { source: "abc" });
    const target = await targetIn(bucket);
    const malformed =
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
    const invalid = (value: string, message: string): ExpectedError => ({
      status: 400,
      code: "InvalidArgument",
      message,
      fields: { ArgumentName: "x-amz-copy-source-range", ArgumentValue: value },
    });
    const outside = "Range specified is not valid for source object of size: 3";
    const past = {
      status: 400,
      code: "InvalidRequest",
      message: "The specified copy range is invalid for the source object size",
    };
    const cases: readonly (readonly [string, ExpectedError])[] = [
      ...["bytes=0-", "bytes=-1", "0-1", "bytes=1-0", "bytes=0-1,2-2", "bytes=a-b", "bytes=0", "items=0-1", ""].map(
        (value) => [value, invalid(value, malformed)] as const,
      ),
      ["bytes=0-3", invalid("bytes=0-3", outside)],
      ["bytes=2-99", invalid("bytes=2-99", outside)],
      ["bytes=3-3", past],
      ["bytes=7-9", past],
    ];
    for (const [value, expected] of cases) {
      const headers = { "x-amz-copy-source-range": value };
      await expectRefused(bucket, () => copyPart(target, 1, `${bucket}/source`, headers), expected);
    }
  });

  it("rejects missing sources and failed conditions, and changes nothing", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "gone", "x");
    const marker = await deleteKey(bucket, "gone");
    await putVersion(bucket, "source", "x");
    const target = await targetIn(bucket);
    const missing = freshBucketName();
    const absent = "0".repeat(32);
    const failed = (condition: string): ExpectedError => ({
      status: 412,
      code: "PreconditionFailed",
      fields: { Condition: `x-amz-copy-source-${condition}` },
    });
    const cases: readonly (readonly [string, Headers, ExpectedError])[] = [
      [`${missing}/k`, {}, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
      [`${bucket}/none`, {}, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [`${bucket}/gone`, {}, { status: 404, code: "NoSuchKey", fields: { Key: "gone" } }],
      [`${bucket}/gone?versionId=${marker}`, {}, { status: 400, code: "InvalidRequest" }],
      [
        `${bucket}/source?versionId=${absent}`,
        {},
        { status: 404, code: "NoSuchVersion", fields: { Key: "source", VersionId: absent } },
      ],
      [
        bucket,
        {},
        {
          status: 400,
          code: "InvalidArgument",
          fields: { ArgumentName: "x-amz-copy-source", ArgumentValue: bucket },
        },
      ],
      [`${bucket}/source`, { "x-amz-copy-source-if-match": '"y"' }, failed("If-Match")],
      [`${bucket}/source`, { "x-amz-copy-source-if-none-match": md5Hex("x") }, failed("If-None-Match")],
      [
        `${bucket}/source`,
        { "x-amz-copy-source-if-unmodified-since": "Sat, 01 Jan 2000 00:00:00 GMT" },
        failed("If-Unmodified-Since"),
      ],
    ];
    for (const [source, headers, expected] of cases) {
      await expectRefused(bucket, () => copyPart(target, 1, source, headers), expected);
    }
    const modified = (await send("HEAD", `/${bucket}/source`)).headers.get("last-modified") ?? "";
    const headers = { "x-amz-copy-source-if-modified-since": modified };
    await expectRefused(bucket, () => copyPart(target, 1, `${bucket}/source`, headers), failed("If-Modified-Since"));
  });

  it("rejects other uploads, invalid part numbers, and anonymous requests", async () => {
    const [bucket, other] = [await freshBucket(), await freshBucket()];
    await putAll(bucket, { source: "x" });
    const target = await targetIn(bucket);
    const source = `${bucket}/source`;
    for (const [inBucket, uploadId] of [
      [other, target.uploadId],
      [bucket, "nonsense"],
    ] as const) {
      await expectRefused(inBucket, () => copyPart({ bucket: inBucket, uploadId }, 1, source), {
        status: 404,
        code: "NoSuchUpload",
        fields: { UploadId: uploadId },
      });
    }
    for (const number of [0, 10_001]) {
      await expectRefused(bucket, () => copyPart(target, number, source), {
        status: 400,
        code: "InvalidArgument",
        fields: { ArgumentName: "partNumber", ArgumentValue: String(number) },
      });
    }
    const request = anonymous("PUT", `/${bucket}/k?partNumber=1&uploadId=${target.uploadId}`, {
      headers: { "x-amz-copy-source": source },
    });
    await expectRefused(bucket, () => deliver(request), { status: 403, code: "AccessDenied" });
  });

  it("costs the same for one byte as for an object of many parts, and makes no blob call", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { small: "x" }, IN_STORE);
    await uploadInParts(bucket, "large", [largePart(1), largePart(2), "end"]);
    const target = await targetIn(bucket);
    const small = costOf(await copyPart(target, 1, `${bucket}/small`));
    const large = costOf(await copyPart(target, 2, `${bucket}/large`));
    for (const cost of [small, large]) {
      expect(cost).toMatchObject({ coordinatorCalls: 0, blobCalls: 0 });
      expect(cost.roundTrips).toBeLessThanOrEqual(3);
      expect(cost.rowsWritten).toBeLessThanOrEqual(2);
    }
  });

  it("loses no byte against the concurrent deletion of its source", async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const bucket = await freshBucket();
      await putAll(bucket, { source: "x" });
      const target = await targetIn(bucket);
      const [copied] = await Promise.all([
        copyPart(target, 1, `${bucket}/source`),
        send("DELETE", `/${bucket}/source`),
      ]);
      expect([200, 404]).toContain(copied.status);
      await expectBalanced(bucket);
      await collectGarbage();
      if (copied.status === 200) {
        await complete(target, [{ partNumber: 1, etag: md5Hex("x") }]);
        expect(await bodyOf(bucket, "k")).toBe("x");
      }
    }
  });
});

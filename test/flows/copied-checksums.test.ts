// The checksums and ETags of copies: those that a copy asks for, and those that follow from the source's rows.
import { describe, expect, it } from "vitest";

import { send, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import {
  ALGORITHMS,
  checksum,
  checksumHeader,
  expectBytes,
  md5Hex,
  noise,
  utf8,
  type Algorithm,
} from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, joined, largePart, sendCompletion, uploadInParts } from "../support/multipart.ts";
import { childrenOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";

const BODY = noise(200_000, 7);
const PARTS = [largePart(1), largePart(2, 7), utf8("the end")];
const WHOLE = joined(PARTS);

type Headers = NonNullable<SendOptions["headers"]>;

async function copy(bucket: string, headers: Headers, from = "source", to = "copy"): Promise<Response> {
  return send("PUT", `/${bucket}/${to}`, { headers: { "x-amz-copy-source": `/${bucket}/${from}`, ...headers } });
}

async function copied(bucket: string, headers: Headers, from = "source", to = "copy"): Promise<Element> {
  const response = await copy(bucket, headers, from, to);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return readXml(text);
}

/** Asserts the checksum of a whole object in every answer that has one, and the object's bytes. */
async function expectChecksum(bucket: string, key: string, algorithm: Algorithm, body: Uint8Array): Promise<void> {
  const value = checksum(algorithm, body);
  const mode = { headers: { "x-amz-checksum-mode": "ENABLED" } };
  for (const method of ["HEAD", "GET"]) {
    const read = await send(method, `/${bucket}/${key}`, mode);
    expect(read.headers.get(checksumHeader(algorithm))).toBe(value);
    expect(read.headers.get("x-amz-checksum-type")).toBe("FULL_OBJECT");
    if (method === "GET") await expectBytes(read, body);
  }
  const attributes = { headers: { "x-amz-object-attributes": "Checksum" } };
  const shown = readXml(await (await send("GET", `/${bucket}/${key}?attributes`, attributes)).text());
  expect(childrenOf(shown, "Checksum").map((found) => textOf(found, `Checksum${algorithm}`))).toEqual([value]);
  const listing = await (await send("GET", `/${bucket}?list-type=2&prefix=${key}`)).text();
  expect(listing).toContain(`<ChecksumAlgorithm>${algorithm}</ChecksumAlgorithm><ChecksumType>FULL_OBJECT`);
}

describe("CopyObject with x-amz-checksum-algorithm", () => {
  it.each(ALGORITHMS)("computes %s of an object in one blob, and keeps the source's", async (algorithm) => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/source`, {
      body: BODY,
      headers: { "x-amz-checksum-crc32c": checksum("CRC32C", BODY) },
    });
    const root = await copied(bucket, { "x-amz-checksum-algorithm": algorithm.toLowerCase() });
    expect(textOf(root, `Checksum${algorithm}`)).toBe(checksum(algorithm, BODY));
    expect(textOf(root, "ChecksumType")).toBe("FULL_OBJECT");
    expect(textOf(root, "ETag")).toBe(`"${md5Hex(BODY)}"`);
    await expectChecksum(bucket, "copy", algorithm, BODY);
    await expectChecksum(bucket, "source", "CRC32C", BODY);
    await expectBalanced(bucket);
  });

  it("reads the bytes once if the checksum is unknown, and never otherwise", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/source`, { body: BODY });
    expect(costOf(await copy(bucket, { "x-amz-checksum-algorithm": "CRC64NVME" }))).toMatchObject({ blobCalls: 0 });
    expect(costOf(await copy(bucket, {}))).toMatchObject({ blobCalls: 0 });
    expect(costOf(await copy(bucket, { "x-amz-checksum-algorithm": "XXHASH3" }))).toMatchObject({ blobCalls: 1 });
  });

  it("makes one object of a multipart source, with an MD5 as its ETag", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "source", PARTS);
    const root = await copied(bucket, { "x-amz-checksum-algorithm": "SHA512" });
    expect(textOf(root, "ChecksumSHA512")).toBe(checksum("SHA512", WHOLE));
    expect(textOf(root, "ETag")).toBe(`"${md5Hex(WHOLE)}"`);
    await expectChecksum(bucket, "copy", "SHA512", WHOLE);
    await expectChecksum(bucket, "source", "CRC64NVME", WHOLE);
    // The full checksum of the source is known.
    const same = await copy(bucket, { "x-amz-checksum-algorithm": "CRC64NVME" }, "source", "shared");
    expect(costOf(same)).toMatchObject({ blobCalls: 0 });
    await expectBalanced(bucket);
  });

  it("computes the checksum of an empty object, and of one that a customer's key encrypts", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/empty`, { body: "" });
    await copied(bucket, { "x-amz-checksum-algorithm": "XXHASH128" }, "empty");
    await expectChecksum(bucket, "copy", "XXHASH128", new Uint8Array());
    await send("PUT", `/${bucket}/source`, { body: BODY });
    const key = keyHeaders(customerKey(1));
    const root = await copied(bucket, { ...key, "x-amz-checksum-algorithm": "MD5" }, "source", "encrypted");
    expect(textOf(root, "ChecksumMD5")).toBe(checksum("MD5", BODY));
  });

  it("changes the checksum of an object in place", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: BODY });
    await expectUntouched(bucket, async () =>
      expectS3Error(await copy(bucket, { "x-amz-checksum-algorithm": "CRC64NVME" }, "k", "k"), {
        status: 400,
        code: "InvalidRequest",
      }),
    );
    await copied(bucket, { "x-amz-checksum-algorithm": "XXHASH64" }, "k", "k");
    await expectChecksum(bucket, "k", "XXHASH64", BODY);
  });

  it.each(["", "SHA384", "CRC32,MD5"])("is refused with the algorithm %j", async (algorithm) => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/source`, { body: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await copy(bucket, { "x-amz-checksum-algorithm": algorithm }), {
        status: 400,
        code: "InvalidRequest",
        message: /^Checksum algorithm provided is unsupported/,
      }),
    );
  });
});

/** Copies a range as a part of a new upload, and returns the part's answer. */
async function copyRange(
  bucket: string,
  range: readonly [number, number] | undefined,
  upload: Headers,
): Promise<Element> {
  const uploadId = await createUpload(bucket, "k", upload);
  const response = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, {
    headers: {
      "x-amz-copy-source": `/${bucket}/source`,
      ...(range === undefined ? {} : { "x-amz-copy-source-range": `bytes=${range[0]}-${range[1] - 1}` }),
    },
  });
  expect(costOf(response)).toMatchObject({ blobCalls: 0 });
  const root = readXml(await response.text());
  const part = { partNumber: 1, etag: textOf(root, "ETag") ?? "" };
  const names = root.children.filter(({ name }) => name.startsWith("Checksum"));
  const checksums = Object.fromEntries(names.map(({ name, text }) => [name, text]));
  expect((await sendCompletion(bucket, "k", uploadId, [{ ...part, checksums }])).status).toBe(200);
  return root;
}

const [FIRST = new Uint8Array(), SECOND = new Uint8Array()] = PARTS;
const END_OF_FIRST = FIRST.length;
const END_OF_SECOND = FIRST.length + SECOND.length;

describe("a part that copies", () => {
  it("all of a multipart object has its CRC", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "source", PARTS);
    const root = await copyRange(bucket, undefined, {});
    expect(textOf(root, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", WHOLE));
    await expectChecksum(bucket, "k", "CRC64NVME", WHOLE);
  });

  it.each(["CRC32", "CRC32C", "CRC64NVME"] as const)("whole parts has their combined %s", async (algorithm) => {
    const bucket = await freshBucket();
    const upload = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": "FULL_OBJECT" };
    await uploadInParts(bucket, "source", PARTS, upload);
    for (const [start, end] of [
      [0, END_OF_SECOND],
      [END_OF_FIRST, WHOLE.length],
      [END_OF_FIRST, END_OF_SECOND],
      [END_OF_SECOND, WHOLE.length],
    ] as const) {
      const root = await copyRange(bucket, [start, end], upload);
      expect(textOf(root, `Checksum${algorithm}`)).toBe(checksum(algorithm, WHOLE.subarray(start, end)));
      await expectChecksum(bucket, "k", algorithm, WHOLE.subarray(start, end));
    }
  });

  it.each(["SHA256", "XXHASH3", "MD5"] as const)("one whole part has its %s, several have none", async (algorithm) => {
    const bucket = await freshBucket();
    const upload = { "x-amz-checksum-algorithm": algorithm };
    await uploadInParts(bucket, "source", PARTS, upload);
    const one = await copyRange(bucket, [END_OF_FIRST, END_OF_SECOND], upload);
    expect(textOf(one, `Checksum${algorithm}`)).toBe(checksum(algorithm, SECOND));
    // The MD5 of a part is its ETag.
    if (algorithm === "MD5") expect(textOf(one, "ETag")).toBe(`"${md5Hex(SECOND)}"`);
    const several = await copyRange(bucket, [0, END_OF_SECOND], upload);
    expect(textOf(several, `Checksum${algorithm}`)).toBeUndefined();
  });

  it.each([
    ["begins within a part", 1, END_OF_SECOND],
    ["ends within a part", 0, END_OF_SECOND - 1],
    ["lies within a part", 10, 20],
    ["begins and ends within parts around a whole one", 5, END_OF_SECOND + 2],
  ])("a range that %s has no checksum", async (_what, start, end) => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "source", PARTS);
    const root = await copyRange(bucket, [start, end], {});
    expect(root.children.filter(({ name }) => name.startsWith("Checksum"))).toEqual([]);
    await expectBytes(await send("GET", `/${bucket}/k`), WHOLE.subarray(start, end));
  });

  it("whole parts has no checksum of another algorithm than the source's", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "source", PARTS, { "x-amz-checksum-algorithm": "CRC32" });
    const root = await copyRange(bucket, [0, END_OF_FIRST], { "x-amz-checksum-algorithm": "CRC32C" });
    expect(root.children.filter(({ name }) => name.startsWith("Checksum"))).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { ALGORITHMS, checksumHeader, expectBytes, md5Hex, utf8, type Algorithm } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import {
  completionOf,
  createUpload,
  joined,
  largePart,
  PART_MIN_BYTES,
  putPart,
  sendCompletion,
  sendPart,
  uploadInParts,
  type ListedPart,
} from "../support/multipart.ts";
import { namesOf, readXml, textOf, type Element } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";
import { bodyOf, deleteKey, putVersion, setVersioning, versionedBucket, versionsOf } from "../support/versioning.ts";

const LARGE = largePart(1);
const LARGER = largePart(2, 7);
const LAST = utf8("the end");

/** The MD5 of the parts' MD5s, computed by node. */
function etagOf(bodies: readonly Uint8Array[]): string {
  const md5s = bodies.map((body) => Uint8Array.from(md5Hex(body).match(/../g) ?? [], (hex) => Number(`0x${hex}`)));
  return `${md5Hex(joined(md5s))}-${bodies.length}`;
}

/** A digest by the runtime's own stream, over the raw bytes. */
async function digestOf(algorithm: Algorithm, bytes: Uint8Array): Promise<Uint8Array> {
  const names = { CRC32: "crc32", CRC32C: "crc32c", CRC64NVME: "crc64nvme", SHA1: "SHA-1", SHA256: "SHA-256" };
  const stream = new crypto.DigestStream(names[algorithm]);
  const writer = stream.getWriter();
  await writer.write(bytes);
  await writer.close();
  return new Uint8Array(await stream.digest);
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

async function answerOf(response: Response): Promise<Element> {
  expect(response.status).toBe(200);
  return readXml(await response.text());
}

/** An upload with these parts, numbered from 1 by default. */
async function uploadOf(
  bucket: string,
  bodies: readonly (string | Uint8Array)[],
  headers: Readonly<Record<string, string>> = {},
  numbers: readonly number[] = bodies.map((_, index) => index + 1),
): Promise<{ uploadId: string; parts: ListedPart[] }> {
  const uploadId = await createUpload(bucket, "k", headers);
  const parts: ListedPart[] = [];
  for (const [index, body] of bodies.entries()) {
    parts.push(await putPart(bucket, "k", uploadId, numbers[index] ?? 0, body));
  }
  return { uploadId, parts };
}

describe("CompleteMultipartUpload", () => {
  it("creates an object of the parts and returns its ETag, checksum and location", async () => {
    const bucket = await freshBucket();
    const bodies = [LARGE, LARGER, LAST];
    const { uploadId, parts } = await uploadOf(bucket, bodies);
    const response = await sendCompletion(bucket, "k", uploadId, parts);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    const root = await answerOf(response);
    expect(root.name).toBe("CompleteMultipartUploadResult");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(namesOf(root)).toEqual(["Location", "Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType"]);
    const whole = joined(bodies);
    expect(["Bucket", "Key", "ETag", "ChecksumCRC64NVME", "ChecksumType"].map((name) => textOf(root, name))).toEqual([
      bucket,
      "k",
      `"${etagOf(bodies)}"`,
      base64(await digestOf("CRC64NVME", whole)),
      "FULL_OBJECT",
    ]);
    const read = await send("GET", `/${bucket}/k`);
    expect(read.headers.get("etag")).toBe(`"${etagOf(bodies)}"`);
    expect(read.headers.get("content-length")).toBe(String(whole.length));
    expect(read.headers.get("x-amz-mp-parts-count")).toBeNull();
    await expectBytes(read, whole);
    await expectBalanced(bucket);
  });

  it("returns the object's URL under the host of the request", async () => {
    const bucket = await freshBucket();
    const key = "dir/a b+cé?.txt";
    const path = "dir/a%20b%2Bc%C3%A9%3F.txt";
    const complete = async (target: string, endpoint: string): Promise<string | undefined> => {
      const created = await send("POST", `${target}?uploads`, { endpoint });
      const uploadId = textOf(await answerOf(created), "UploadId") ?? "";
      const part = await send("PUT", `${target}?partNumber=1&uploadId=${uploadId}`, { endpoint, body: "x" });
      const body = completionOf([{ partNumber: 1, etag: part.headers.get("etag") ?? "" }]);
      const root = await answerOf(await send("POST", `${target}?uploadId=${uploadId}`, { endpoint, body }));
      expect(textOf(root, "Key")).toBe(key);
      return textOf(root, "Location");
    };
    const ofPath = `/${bucket}/${path}`;
    expect(await complete(ofPath, "http://localhost:9000")).toBe(`http://localhost:9000${ofPath}`);
    const host = `https://${bucket}.s3.example.com`;
    expect(await complete(`/${path}`, host)).toBe(`${host}/${path}`);
  });

  it("accepts parts uploaded in any order, with gaps, and discards unlisted parts", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LAST, LARGER, "unlisted", LARGE], {}, [10_000, 70, 5, 3]);
    const [last, larger, , large] = parts;
    const listed = [large, larger, last].flatMap((part) => part ?? []);
    expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`), joined([LARGE, LARGER, LAST]));
    const { garbage } = await storedStateOf(bucket);
    expect(garbage).toHaveLength(1);
    expect((await storedStateOf(bucket)).blobs[garbage[0] ?? ""]).toBe("unlisted".length);
    await expectBalanced(bucket);
  });

  it.each([
    ["one part", [LAST]],
    ["one part of nothing", [utf8("")]],
    ["a last part of nothing", [LARGE, utf8("")]],
    ["a last part larger than the others", [LARGE, LARGER]],
  ] as const)("creates an object of %s", async (_name, bodies) => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, bodies);
    const root = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
    expect(textOf(root, "ETag")).toBe(`"${etagOf(bodies)}"`);
    await expectBytes(await send("GET", `/${bucket}/k`), joined(bodies));
    await expectBalanced(bucket);
  });

  it("accepts ETags with quotes, without, and escaped", async () => {
    for (const write of [
      (etag: string) => etag.replaceAll('"', ""),
      (etag: string) => etag.replaceAll('"', "&quot;"),
    ]) {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const listed = parts.map(({ partNumber, etag }) => ({ partNumber, etag: write(etag) }));
      expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
    }
  });

  it("costs at most three round trips, and one row per part for its deletion", async () => {
    const bucket = await freshBucket();
    const costs = [];
    for (const count of [2, 4]) {
      const { uploadId, parts } = await uploadOf(bucket, [...Array.from({ length: count - 1 }, () => LARGE), LAST]);
      const cost = costOf(await sendCompletion(bucket, "k", uploadId, parts));
      expect(cost.roundTrips).toBeLessThanOrEqual(3);
      expect(cost).toMatchObject({ coordinatorCalls: 1, blobCalls: 1 });
      costs.push(cost.rowsWritten - count);
      await send("DELETE", `/${bucket}/k`);
    }
    expect(costs[1]).toBe(costs[0]);
    expect(costs[0]).toBeLessThanOrEqual(4);
  });

  describe("rejects", () => {
    const small = utf8("small");
    const cases: readonly (readonly [
      name: string,
      list: (parts: readonly ListedPart[], uploadId: string) => readonly ListedPart[] | string,
      expected: (parts: readonly ListedPart[], uploadId: string) => ExpectedError,
    ])[] = [
      [
        "parts out of order",
        (parts) => parts.toReversed(),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
      [
        "a part twice",
        ([part]) => (part === undefined ? [] : [part, part]),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
      [
        "a part that is not there",
        ([part]) => (part === undefined ? [] : [part, { ...part, partNumber: 9 }]),
        ([part], id) => ({
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: id, PartNumber: "9", ETag: (part?.etag ?? "").replaceAll('"', "") },
        }),
      ],
      [
        "a part by another ETag",
        ([part]) => (part === undefined ? [] : [{ ...part, etag: '"0123456789abcdef0123456789abcdef"' }]),
        (_, id) => ({
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: id, PartNumber: "1", ETag: "0123456789abcdef0123456789abcdef" },
        }),
      ],
      [
        "a part that is too small and not the last",
        (parts) => parts,
        () => ({
          status: 400,
          code: "EntityTooSmall",
          fields: {
            ProposedSize: String(small.length),
            MinSizeAllowed: String(PART_MIN_BYTES),
            PartNumber: "1",
            ETag: md5Hex(small),
          },
        }),
      ],
      [
        "no parts",
        () => [],
        () => ({ status: 400, code: "InvalidRequest", message: "You must specify at least one part" }),
      ],
      ["no document", () => "", () => ({ status: 400, code: "MalformedXML" })],
      ["no XML", () => "parts", () => ({ status: 400, code: "MalformedXML" })],
      ["another document", () => "<Complete/>", () => ({ status: 400, code: "MalformedXML" })],
      [
        "something else among the parts",
        () => "<CompleteMultipartUpload><Piece/></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a part without an ETag",
        () => "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a part without a number",
        () => "<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "a number that is none",
        (parts) => completionOf(parts).replaceAll("<PartNumber>1<", "<PartNumber>one<"),
        () => ({ status: 400, code: "MalformedXML" }),
      ],
      [
        "part 0",
        (parts) => completionOf(parts).replaceAll("<PartNumber>1<", "<PartNumber>0<"),
        (_, id) => ({ status: 400, code: "InvalidPartOrder", fields: { UploadId: id } }),
      ],
    ];

    it.each(cases)("%s, and does not change the upload", async (_name, list, expected) => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "as it was" });
      const { uploadId, parts } = await uploadOf(bucket, [small, "end"]);
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, list(parts, uploadId)), expected(parts, uploadId)),
      );
      expect(await bodyOf(bucket, "k")).toBe("as it was");
      const [, last] = parts;
      expect((await sendCompletion(bucket, "k", uploadId, last === undefined ? [] : [last])).status).toBe(200);
      expect(await bodyOf(bucket, "k")).toBe("end");
    });

    it("a replaced part by its old ETag", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["first"]);
      await putPart(bucket, "k", uploadId, 1, "second");
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, parts), {
          status: 400,
          code: "InvalidPart",
          fields: { UploadId: uploadId, PartNumber: "1", ETag: md5Hex("first") },
        }),
      );
    });

    it("the upload of another bucket or key, and one that never existed", async () => {
      const [bucket, other] = [await freshBucket(), await freshBucket()];
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      await expectUntouched(bucket, async () => {
        for (const [inBucket, key, id] of [
          [other, "k", uploadId],
          [bucket, "other", uploadId],
          [bucket, "k", "nonsense"],
          [bucket, "k", ""],
        ] as const) {
          await expectS3Error(await sendCompletion(inBucket, key, id, parts), {
            status: 404,
            code: "NoSuchUpload",
            fields: { UploadId: id },
          });
        }
      });
    });

    it("anonymous requests, and missing buckets", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const body = completionOf(parts);
      await expectUntouched(bucket, async () =>
        expectS3Error(await deliver(anonymous("POST", `/${bucket}/k?uploadId=${uploadId}`, { body })), {
          status: 403,
          code: "AccessDenied",
        }),
      );
      const missing = freshBucketName();
      await expectS3Error(await sendCompletion(missing, "k", uploadId, parts), {
        status: 404,
        code: "NoSuchBucket",
        fields: { BucketName: missing },
      });
    });
  });

  describe("repeated", () => {
    it("returns the same response for the same list, whatever happened to the key", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
      const first = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
      for (const meanwhile of [
        async () => undefined,
        () => putAll(bucket, { k: "newer" }),
        () => deleteKey(bucket, "k"),
      ]) {
        await meanwhile();
        await expectUntouched(bucket, async () => {
          const again = await sendCompletion(bucket, "k", uploadId, parts);
          expect(costOf(again)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
          expect(await answerOf(again)).toEqual(first);
        });
      }
    });

    it("names the version that it created in a versioned bucket", async () => {
      const bucket = await versionedBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const first = (await sendCompletion(bucket, "k", uploadId, parts)).headers.get("x-amz-version-id");
      await putVersion(bucket, "k", "newer");
      const again = await sendCompletion(bucket, "k", uploadId, parts);
      expect(again.status).toBe(200);
      expect(again.headers.get("x-amz-version-id")).toBe(first);
      expect(await versionsOf(bucket)).toHaveLength(2);
    });

    it("is rejected with another list", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
      await sendCompletion(bucket, "k", uploadId, parts);
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendCompletion(bucket, "k", uploadId, parts.slice(0, 1)), {
          status: 404,
          code: "NoSuchUpload",
          fields: { UploadId: uploadId },
        }),
      );
    });

    it("concurrently creates one object and returns the same response", async () => {
      const bucket = await versionedBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      const responses = await Promise.all([1, 2, 3, 4].map(() => sendCompletion(bucket, "k", uploadId, parts)));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(new Set(responses.map(({ headers }) => headers.get("x-amz-version-id"))).size).toBe(1);
      expect(await versionsOf(bucket)).toHaveLength(1);
      await expectBalanced(bucket);
    });
  });

  it("creates the object of one list when concurrent completions differ", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LARGE, LAST]);
    const [first, second] = parts.map((part) => [part]);
    const responses = await Promise.all(
      [first, second].map((list) => sendCompletion(bucket, "k", uploadId, list ?? [])),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 404]);
    await expectBytes(await send("GET", `/${bucket}/k`), statuses[0] === 200 ? LARGE : LAST);
    await expectBalanced(bucket);
  });

  it("uses the listed parts or none while one is concurrently replaced", async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["first"]);
      const [completed, part] = await Promise.all([
        sendCompletion(bucket, "k", uploadId, parts),
        sendPart(bucket, "k", uploadId, 1, "second"),
      ]);
      expect([
        [200, 404],
        [400, 200],
        [200, 200],
      ]).toContainEqual([completed.status, part.status]);
      if (completed.status === 200) expect(await bodyOf(bucket, "k")).toBe("first");
      await expectBalanced(bucket);
    }
  });

  describe("checksums", () => {
    const BODIES = [LARGE, LARGER, LAST];

    it.each([
      ...ALGORITHMS.filter((algorithm) => algorithm !== "CRC64NVME").map((name) => [name, "COMPOSITE"] as const),
      ["CRC32", "FULL_OBJECT"] as const,
      ["CRC32C", "FULL_OBJECT"] as const,
      ["CRC64NVME", "FULL_OBJECT"] as const,
    ])("of %s, %s, are computed over the parts or the whole", async (algorithm, type) => {
      const bucket = await freshBucket();
      const headers = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
      const { uploadId, parts } = await uploadOf(bucket, BODIES, headers);
      const digests = await Promise.all(BODIES.map((body) => digestOf(algorithm, body)));
      const expected =
        type === "COMPOSITE"
          ? `${base64(await digestOf(algorithm, joined(digests)))}-3`
          : base64(await digestOf(algorithm, joined(BODIES)));
      const root = await answerOf(await sendCompletion(bucket, "k", uploadId, parts));
      expect([textOf(root, `Checksum${algorithm}`), textOf(root, "ChecksumType")]).toEqual([expected, type]);
      const mode = { headers: { "x-amz-checksum-mode": "ENABLED" } };
      const head = await send("HEAD", `/${bucket}/k`, mode);
      expect(head.headers.get(checksumHeader(algorithm))).toBe(expected);
      expect(head.headers.get("x-amz-checksum-type")).toBe(type);
      // For a single part its own checksum is returned; for a range, none.
      const second = await send("HEAD", `/${bucket}/k?partNumber=2`, mode);
      expect(second.headers.get(checksumHeader(algorithm))).toBe(base64(digests[1] ?? utf8("")));
      const ranged = await send("HEAD", `/${bucket}/k`, { headers: { ...mode.headers, range: "bytes=0-9" } });
      expect(ranged.headers.get(checksumHeader(algorithm))).toBeNull();
    });

    it("in the completion's headers are verified", async () => {
      const bucket = await freshBucket();
      const headers = { "x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT" };
      const { uploadId, parts } = await uploadOf(bucket, BODIES, headers);
      await expectUntouched(bucket, async () => {
        const wrong = { "x-amz-checksum-crc32": base64(await digestOf("CRC32", LAST)) };
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, wrong), {
          status: 400,
          code: "BadDigest",
          message: "The CRC32 you specified did not match the calculated checksum.",
        });
        await expectS3Error(
          await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-checksum-type": "COMPOSITE" }),
          {
            status: 400,
            code: "InvalidRequest",
            message:
              "The upload was created using the FULL_OBJECT checksum mode. The complete request must use the same checksum mode.",
          },
        );
      });
      const right = {
        "x-amz-checksum-crc32": base64(await digestOf("CRC32", joined(BODIES))),
        "x-amz-checksum-type": "FULL_OBJECT",
      };
      expect((await sendCompletion(bucket, "k", uploadId, parts, right)).status).toBe(200);
    });

    it("of parts are required and verified for a composite upload", async () => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, [LAST], { "x-amz-checksum-algorithm": "CRC32" });
      const without = parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
      const wrong = without.map(({ partNumber, etag }) => ({
        partNumber,
        etag,
        checksums: { ChecksumCRC32: "AAAAAA==" },
      }));
      const others = without.map(({ partNumber, etag }) => ({
        partNumber,
        etag,
        checksums: { ChecksumSHA1: "AAAAAA==" },
      }));
      await expectUntouched(bucket, async () => {
        for (const listed of [without, others]) {
          await expectS3Error(await sendCompletion(bucket, "k", uploadId, listed), {
            status: 400,
            code: "InvalidRequest",
            message:
              "The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part 1 in the request.",
          });
        }
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, wrong), {
          status: 400,
          code: "BadDigest",
          message: "The crc32 you specified for part 1 did not match what we received.",
        });
      });
      expect((await sendCompletion(bucket, "k", uploadId, parts)).status).toBe(200);
    });

    it("of parts are optional when the upload announced none or a full-object one", async () => {
      for (const headers of [{}, { "x-amz-checksum-algorithm": "CRC64NVME" }]) {
        const bucket = await freshBucket();
        const { uploadId, parts } = await uploadOf(bucket, [LAST], headers);
        const listed = parts.map(({ partNumber, etag }) => ({ partNumber, etag }));
        expect((await sendCompletion(bucket, "k", uploadId, listed)).status).toBe(200);
      }
    });
  });

  it("include the size of the object when it is sent", async () => {
    const bucket = await freshBucket();
    const { uploadId, parts } = await uploadOf(bucket, [LAST]);
    await expectUntouched(bucket, async () => {
      for (const size of ["8", "0", "x"]) {
        await expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-mp-object-size": size }), {
          status: 400,
          code: "InvalidRequest",
          message: `The provided 'x-amz-mp-object-size' header value ${size} does not match what was computed: 7`,
        });
      }
    });
    expect((await sendCompletion(bucket, "k", uploadId, parts, { "x-amz-mp-object-size": "7" })).status).toBe(200);
  });

  describe("conditions", () => {
    const OLD = md5Hex("old");
    const none = { "if-none-match": "*" };
    const failed = (condition: string): ExpectedError => ({
      status: 412,
      code: "PreconditionFailed",
      message: "At least one of the pre-conditions you specified did not hold",
      fields: { Condition: condition },
    });
    const conflict = (condition: string): ExpectedError => ({
      status: 409,
      code: "ConditionalRequestConflict",
      fields: { Condition: condition, Key: "k" },
    });
    const put = (body: string) => async (bucket: string) => putAll(bucket, { k: body });
    const remove = async (bucket: string): Promise<void> => void (await deleteKey(bucket, "k"));
    type Step = (bucket: string) => Promise<void>;

    it.each([
      ["none there, none wanted", [], [], none, undefined],
      ["one there, none wanted", [put("old")], [], none, failed("If-None-Match")],
      ["one put meanwhile, none wanted", [], [put("new")], none, failed("If-None-Match")],
      ["one deleted meanwhile, none wanted", [put("old")], [remove], none, conflict("If-None-Match")],
      ["the one that is wanted", [put("old")], [], { "if-match": OLD }, undefined],
      ["another than the wanted one", [put("old")], [], { "if-match": md5Hex("x") }, failed("If-Match")],
      ["none, one wanted", [], [], { "if-match": OLD }, { status: 404, code: "NoSuchKey", fields: { Key: "k" } }],
      ["the wanted one put meanwhile", [put("x")], [put("old")], { "if-match": OLD }, conflict("If-Match")],
      ["the same bytes put meanwhile", [put("old")], [put("old")], { "if-match": OLD }, conflict("If-Match")],
      [
        "the wanted one deleted meanwhile",
        [put("old")],
        [remove],
        { "if-match": OLD },
        { status: 404, code: "NoSuchKey", fields: { Key: "k" } },
      ],
      [
        "the wanted one deleted and put again meanwhile",
        [put("old")],
        [remove, put("old")],
        { "if-match": OLD },
        conflict("If-Match"),
      ],
      ["the old one replaced meanwhile", [put("old")], [put("new")], { "if-match": OLD }, failed("If-Match")],
    ] as readonly (readonly [string, Step[], Step[], Record<string, string>, ExpectedError | undefined])[])(
      "on what is there: %s",
      async (_name, before, meanwhile, headers, expected) => {
        for (const makeBucket of [freshBucket, versionedBucket]) {
          const bucket = await makeBucket();
          for (const step of before) await step(bucket);
          const { uploadId, parts } = await uploadOf(bucket, ["new object"]);
          for (const step of meanwhile) await step(bucket);
          if (expected === undefined) {
            expect((await sendCompletion(bucket, "k", uploadId, parts, headers)).status).toBe(200);
            expect(await bodyOf(bucket, "k")).toBe("new object");
          } else {
            await expectUntouched(bucket, async () =>
              expectS3Error(await sendCompletion(bucket, "k", uploadId, parts, headers), expected),
            );
          }
        }
      },
    );

    it.each([
      [{ "if-none-match": '"x"' }, { status: 400, code: "InvalidRequest" }],
      [{ "if-match": "*" }, { status: 501, code: "NotImplemented" }],
      [
        { "if-match": '"x"', "if-none-match": "*" },
        { status: 501, code: "NotImplemented" },
      ],
    ] as const)("that make no sense are rejected: %j", async (headers, { status, code }) => {
      const bucket = await freshBucket();
      const { uploadId, parts } = await uploadOf(bucket, ["x"]);
      await expectUntouched(bucket, async () => {
        const response = await sendCompletion(bucket, "k", uploadId, parts, headers);
        expect(response.status).toBe(status);
        expect(await response.text()).toContain(`<Code>${code}</Code>`);
      });
    });

    it("let one of several completions of a free key win", async () => {
      const bucket = await freshBucket();
      const uploads = [];
      for (let turn = 0; turn < 5; turn += 1) uploads.push(await uploadOf(bucket, [`body ${turn}`]));
      const responses = await Promise.all(
        uploads.map(({ uploadId, parts }) => sendCompletion(bucket, "k", uploadId, parts, none)),
      );
      const statuses = responses.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 409, 412].includes(status))).toBe(true);
      expect(await bodyOf(bucket, "k")).toBe(`body ${statuses.indexOf(200)}`);
      await expectBalanced(bucket);
    });
  });

  describe("in a bucket with versions", () => {
    it("creates and names a version, and keeps the existing one", async () => {
      const bucket = await versionedBucket();
      const old = await putVersion(bucket, "k", "old");
      const versionId = (await uploadInParts(bucket, "k", ["new"])).headers.get("x-amz-version-id") ?? "";
      expect(versionId).toMatch(/^[0-9a-v]{32}$/);
      expect(await bodyOf(bucket, "k", versionId)).toBe("new");
      expect(await bodyOf(bucket, "k", old)).toBe("old");
    });

    it("replaces the null version while versioning is suspended, and names none", async () => {
      const bucket = await freshBucket();
      await putAll(bucket, { k: "null" });
      await setVersioning(bucket, "Enabled");
      const kept = await putVersion(bucket, "k", "kept");
      await setVersioning(bucket, "Suspended");
      expect((await uploadInParts(bucket, "k", ["new null"])).headers.get("x-amz-version-id")).toBeNull();
      expect((await versionsOf(bucket)).map(({ versionId }) => versionId)).toEqual(["null", kept]);
      expect(await bodyOf(bucket, "k", "null")).toBe("new null");
      await expectBalanced(bucket);
    });

    it("costs no more than without versioning, except for the noncurrent version", async () => {
      const bucket = await versionedBucket();
      await putVersion(bucket, "k", "old");
      const cost = costOf(await uploadInParts(bucket, "k", ["new"]));
      expect(cost.roundTrips).toBeLessThanOrEqual(3);
      expect(cost.rowsWritten).toBeLessThanOrEqual(6);
    });
  });

  describe("creates an object that is readable", () => {
    const BODIES = [LARGE, LARGER, LAST];
    const WHOLE = joined(BODIES);
    const [one, two] = [LARGE.length, LARGE.length + LARGER.length];

    it("by ranges over any of its parts", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      const last = WHOLE.length - 1;
      const ranges = [
        [`bytes=0-0`, 0, 0],
        [`bytes=${one - 1}-${one}`, one - 1, one],
        [`bytes=${one - 1}-${one - 1}`, one - 1, one - 1],
        [`bytes=${one}-${one}`, one, one],
        [`bytes=${one - 5}-${two + 2}`, one - 5, two + 2],
        [`bytes=${two - 1}-`, two - 1, last],
        [`bytes=${two}-${two + 100}`, two, last],
        ["bytes=-7", last - 6, last],
        ["bytes=-8", last - 7, last],
        ["bytes=-99999999", 0, last],
      ] as const;
      for (const [range, from, to] of ranges) {
        const response = await send("GET", `/${bucket}/k`, { headers: { range } });
        expect(response.status, range).toBe(206);
        expect(response.headers.get("content-range"), range).toBe(`bytes ${from}-${to}/${WHOLE.length}`);
        await expectBytes(response, WHOLE.subarray(from, to + 1));
      }
      await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${WHOLE.length}-` } }), {
        status: 416,
        code: "InvalidRange",
        fields: { RangeRequested: `bytes=${WHOLE.length}-`, ActualObjectSize: String(WHOLE.length) },
      });
    });

    it("by part number", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      let start = 0;
      for (const [index, body] of BODIES.entries()) {
        for (const method of ["GET", "HEAD"]) {
          const response = await send(method, `/${bucket}/k?partNumber=${index + 1}`);
          expect(response.status).toBe(206);
          expect(Object.fromEntries(response.headers)).toMatchObject({
            "content-range": `bytes ${start}-${start + body.length - 1}/${WHOLE.length}`,
            "content-length": String(body.length),
            "x-amz-mp-parts-count": "3",
            etag: `"${etagOf(BODIES)}"`,
          });
          if (method === "GET") await expectBytes(response, body);
        }
        start += body.length;
      }
      await expectS3Error(await send("GET", `/${bucket}/k?partNumber=4`), {
        status: 416,
        code: "InvalidPartNumber",
        fields: { ActualPartCount: "3", PartNumberRequested: "4" },
      });
    });

    it("in one round trip", async () => {
      const bucket = await freshBucket();
      await uploadInParts(bucket, "k", BODIES);
      const small = { range: "bytes=0-9" };
      const ranged = await send("GET", `/${bucket}/k`, { headers: small });
      expect(costOf(ranged)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 1 });
      expect(costOf(await send("HEAD", `/${bucket}/k`))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
      expect(costOf(await send("HEAD", `/${bucket}/k?partNumber=2`))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
    });
  });
});

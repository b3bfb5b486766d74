// Upload bodies: every envelope, every digest, and every malformation.
import { describe, expect, it } from "vitest";

import { chunkedUpload, cut, type Chunk, type ChunkedForm, type ChunkedOptions } from "../support/aws-chunked.ts";
import { anonymous, deliver, send, signed, streamOf, withBody } from "../support/client.ts";
import {
  ALGORITHMS,
  checksum,
  checksumHeader,
  expectBytes,
  md5Base64,
  md5Hex,
  noise,
  utf8,
} from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";

const FORMS: readonly ChunkedForm[] = [
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
];
const TRAILING = FORMS.filter((form) => form.endsWith("-TRAILER"));
const SIGNED = FORMS.filter((form) => form.includes("AWS4"));

const BODY = noise(100_000);
const PIECES = cut(BODY, 16_384);
const INCOMPLETE = { status: 400, code: "IncompleteBody" };
const BAD_SIGNATURE = {
  status: 403,
  code: "SignatureDoesNotMatch",
  fields: {
    AWSAccessKeyId: expect.any(String),
    StringToSign: expect.stringMatching(/^AWS4-HMAC-SHA256-(PAYLOAD|TRAILER)\n/),
    SignatureProvided: expect.any(String),
    StringToSignBytes: expect.any(String),
  },
};

async function expectStored(options: ChunkedOptions, body: Uint8Array = BODY): Promise<Response> {
  const bucket = await freshBucket();
  const response = await deliver(await chunkedUpload(`/${bucket}/k`, options));
  expect(await response.clone().text()).toBe("");
  expect(response.status).toBe(200);
  expect(response.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
  const stored = await send("GET", `/${bucket}/k`);
  expect(stored.headers.get("content-length")).toBe(String(body.length));
  expect(stored.headers.get("content-encoding")).toBeNull();
  await expectBytes(stored, body);
  expectNothingLeftOver(await storedStateOf(bucket));
  return response;
}

/** Asserts that an upload over an existing object is rejected and stores nothing. */
async function expectRefused(options: ChunkedOptions, expected: ExpectedError): Promise<void> {
  const bucket = await freshBucket();
  await putAll(bucket, { k: "as it was" });
  await expectNoTrace(bucket, async () =>
    expectS3Error(await deliver(await chunkedUpload(`/${bucket}/k`, options)), expected),
  );
  await expectBytes(await send("GET", `/${bucket}/k`), "as it was");
}

function replaceChunk(index: number, change: (chunk: Chunk) => Chunk): (chunks: readonly Chunk[]) => readonly Chunk[] {
  return (chunks) => chunks.map((chunk, at) => (at === index ? change(chunk) : chunk));
}

function flipped(data: Uint8Array): Uint8Array {
  return data.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
}

describe.each(FORMS)("an aws-chunked body, %s,", (form) => {
  it.each([0, 1, 8191, 8192, 8193, 262_144, 1_000_000])("of %i bytes is stored without its envelope", async (size) => {
    const body = noise(size, size);
    await expectStored({ form, pieces: cut(body, 65_536) }, body);
  });

  it("is stored identically for every network chunking", async () => {
    for (const size of [8192, 10_007, 65_536, 100_000]) await expectStored({ form, pieces: cut(BODY, size) });
  });

  it("needs no Content-Length besides x-amz-decoded-content-length", async () => {
    await expectStored({ form, pieces: PIECES, isMeasured: false });
  });

  it("is rejected without x-amz-decoded-content-length", async () => {
    await expectRefused({ form, pieces: PIECES, decodedLength: null }, { status: 411, code: "MissingContentLength" });
  });

  it.each(["-1", "x", "1e5", "1.5", "99999999999999999999"])(
    "is rejected with the decoded length %s",
    async (value) => {
      await expectRefused(
        { form, pieces: PIECES, decodedLength: value },
        {
          status: 400,
          code: "InvalidArgument",
          fields: { ArgumentName: "x-amz-decoded-content-length", ArgumentValue: value },
        },
      );
    },
  );

  it("returns IncompleteBody when it carries more or fewer bytes than announced", async () => {
    for (const decodedLength of [0, BODY.length - 1, BODY.length + 1, 2 * BODY.length]) {
      await expectRefused({ form, pieces: PIECES, decodedLength }, INCOMPLETE);
    }
  });

  it("returns EntityTooLarge before it is read when it announces more than 5 GiB", async () => {
    const announced = 5 * 1024 ** 3 + 1;
    await expectRefused(
      { form, pieces: PIECES, decodedLength: announced },
      {
        status: 400,
        code: "EntityTooLarge",
        fields: { ProposedSize: String(announced), MaxSizeAllowed: "5368709120" },
      },
    );
  });

  it.each([
    ["ends after a chunk", (text: string) => text.slice(0, 16_384)],
    ["ends within a chunk", (text: string) => text.slice(0, 10_000)],
    ["ends within the line of a chunk", (text: string) => text.slice(0, 3)],
    ["ends before its last chunk", (text: string) => text.slice(0, text.lastIndexOf("\r\n0"))],
    ["has a size that is none", (text: string) => text.replace(/^4000/, "zzzz")],
    ["has a negative size", (text: string) => text.replace(/^4000/, "-400")],
    ["has a size with 0x", (text: string) => text.replace(/^4000/, "0x4000")],
    ["has a size past all bounds", (text: string) => text.replace(/^4000/, "ffffffffffffffff")],
    ["has an endless size", (text: string) => "0".repeat(100_000) + text],
    ["has no line end after a chunk", (text: string) => text.replace(/\r\n4000/, "xx4000")],
    ["goes on after its end", (text: string) => `${text}more`],
    ["is followed by another", (text: string) => text + text],
    ["is empty", () => ""],
  ])("that %s is refused as IncompleteBody", async (_what, spoilBody) => {
    await expectRefused({ form, pieces: PIECES, spoilBody }, INCOMPLETE);
  });

  it("verifies and returns a checksum from a header", async () => {
    for (const algorithm of ALGORITHMS) {
      const name = checksumHeader(algorithm);
      const response = await expectStored({ form, pieces: PIECES, headers: { [name]: checksum(algorithm, BODY) } });
      expect(response.headers.get(name)).toBe(checksum(algorithm, BODY));
      await expectRefused(
        { form, pieces: PIECES, headers: { [name]: checksum(algorithm, utf8("other")) } },
        { status: 400, code: "BadDigest" },
      );
    }
  });

  it("verifies Content-MD5 of the payload, not of the envelope", async () => {
    await expectStored({ form, pieces: PIECES, headers: { "content-md5": md5Base64(BODY) } });
    await expectRefused(
      { form, pieces: PIECES, headers: { "content-md5": md5Base64(utf8("other")) } },
      {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5Base64(utf8("other")), CalculatedDigest: md5Base64(BODY) },
      },
    );
  });

  it("streams 20 MB", async () => {
    const body = noise(20_000_000);
    await expectStored({ form, pieces: cut(body, 1_000_000) }, body);
  });
});

describe.each(TRAILING)("the trailers of %s", (form) => {
  it.each(ALGORITHMS)("carry %s, which is verified, stored and returned", async (algorithm) => {
    const name = checksumHeader(algorithm);
    const value = checksum(algorithm, BODY);
    const headers = { "x-amz-sdk-checksum-algorithm": algorithm };
    const response = await expectStored({ form, pieces: PIECES, headers, trailers: { [name]: value } });
    expect(response.headers.get(name)).toBe(value);
    expect(response.headers.get("x-amz-checksum-type")).toBe("FULL_OBJECT");
    await expectRefused(
      { form, pieces: PIECES, trailers: { [name]: checksum(algorithm, utf8("other")) } },
      {
        status: 400,
        code: "BadDigest",
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      },
    );
  });

  it("return InvalidRequest for a malformed value", async () => {
    for (const value of ["", "AAAA", "!!!!!!==", `${checksum("CRC32", BODY)},${checksum("CRC32", BODY)}`]) {
      await expectRefused(
        { form, pieces: PIECES, trailers: { "x-amz-checksum-crc32": value } },
        { status: 400, code: "InvalidRequest", message: "Value for x-amz-checksum-crc32 header is invalid." },
      );
    }
  });

  const crc32 = { "x-amz-checksum-crc32": checksum("CRC32", BODY) };
  it.each([
    ["announced and do not come", { trailers: {}, announced: "x-amz-checksum-crc32" }],
    ["come and were not announced", { trailers: crc32, announced: "" }],
    ["come under another name than announced", { trailers: crc32, announced: "x-amz-checksum-crc32c" }],
    [
      "come with others that were not announced",
      { trailers: { ...crc32, "x-amz-meta-a": "1" }, announced: "x-amz-checksum-crc32" },
    ],
  ])("are refused as MalformedTrailerError where they are %s", async (_what, options) => {
    await expectRefused({ form, pieces: PIECES, ...options }, { status: 400, code: "MalformedTrailerError" });
  });

  it("return MalformedTrailerError for a duplicate, an invalid or an unterminated trailer", async () => {
    const line = `x-amz-checksum-crc32:${checksum("CRC32", BODY)}\r\n`;
    for (const spoilBody of [
      (text: string) => text.replace(line, line + line),
      (text: string) => text.replace(line, "no colon\r\n"),
      (text: string) => text.replace(line, ":no name\r\n"),
      (text: string) => text.replace(line, `x-amz-checksum-crc32:${"A".repeat(100_000)}\r\n`),
    ]) {
      await expectRefused(
        { form, pieces: PIECES, trailers: crc32, spoilBody },
        { status: 400, code: "MalformedTrailerError" },
      );
    }
  });

  it("are optional: without them a CRC64NVME is stored", async () => {
    const response = await expectStored({ form, pieces: PIECES });
    expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", BODY));
  });

  it("accept any case and spaces around their value", async () => {
    const [name, value] = ["x-amz-checksum-crc32", checksum("CRC32", BODY)];
    const spoilBody = (text: string) => text.replace(`${name}:${value}`, `X-Amz-Checksum-CRC32: ${value} `);
    await expectStored({ form, pieces: PIECES, trailers: { [name]: value }, spoilBody });
  });

  it("are rejected together with a checksum header, and with two algorithms", async () => {
    const expected = {
      status: 400,
      code: "InvalidRequest",
      message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    };
    const headers = { "x-amz-checksum-crc32c": checksum("CRC32C", BODY) };
    await expectRefused({ form, pieces: PIECES, trailers: crc32, headers }, expected);
    await expectRefused({ form, pieces: PIECES, trailers: { ...crc32, ...headers } }, expected);
  });
});

describe("an unsigned aws-chunked body", () => {
  const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

  it("accepts chunks of a few bytes, as the SDK for JavaScript sends them", async () => {
    for (const size of [1, 6, 100])
      await expectStored({ form, pieces: cut(BODY.subarray(0, 5000), size) }, BODY.subarray(0, 5000));
  });

  it("is stored identically for every network chunking", async () => {
    const bucket = await freshBucket();
    const trailers = { "x-amz-checksum-crc32": checksum("CRC32", BODY) };
    for (const size of [1, 2, 3, 1000, 16_383, 16_391]) {
      const whole = await chunkedUpload(`/${bucket}/k`, { form, pieces: cut(BODY, 16_384), trailers });
      const bytes = await whole.bytes();
      const pieces = size < 1000 ? [...cut(bytes.subarray(0, 64), size), bytes.subarray(64)] : cut(bytes, size);
      const { url, method, headers } = whole;
      const response = await deliver(new Request(url, { method, headers, body: streamOf(pieces) }));
      expect(response.status).toBe(200);
      await expectBytes(await send("GET", `/${bucket}/k`), BODY);
    }
  });

  it("is rejected when its request's signature is wrong", async () => {
    const bucket = await freshBucket();
    const whole = await chunkedUpload(`/${bucket}/k`, { form, pieces: PIECES });
    const headers = new Headers(whole.headers);
    headers.set("authorization", (headers.get("authorization") ?? "").replace(/.{8}$/, "00000000"));
    await expectNoTrace(bucket, async () => {
      const response = await deliver(new Request(whole.url, { method: "PUT", headers, body: await whole.bytes() }));
      expect(response.status).toBe(403);
      expect(await response.text()).toContain("<Code>SignatureDoesNotMatch</Code>");
    });
  });

  it("is rejected from an anonymous caller", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-content-sha256": form, "x-amz-decoded-content-length": "0" };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k`, { headers, body: "0\r\n\r\n" })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

describe.each(SIGNED)("the signatures of %s", (form) => {
  it("are required for every chunk and cover its bytes and position", async () => {
    const other = noise(16_384, 9);
    for (const spoilChunks of [
      replaceChunk(0, (chunk) => ({ ...chunk, data: flipped(chunk.data) })),
      replaceChunk(3, (chunk) => ({ ...chunk, data: other })),
      replaceChunk(0, (chunk) => ({ ...chunk, signature: "0".repeat(64) })),
      replaceChunk(6, (chunk) => ({ ...chunk, signature: "0".repeat(64) })),
      replaceChunk(7, (chunk) => ({ ...chunk, signature: "0".repeat(64) })),
      replaceChunk(1, (chunk) => ({ ...chunk, signature: "" })),
      replaceChunk(1, (chunk) => ({ ...chunk, signature: chunk.signature?.toUpperCase() })),
      replaceChunk(1, (chunk) => ({ ...chunk, signature: chunk.signature?.slice(0, 63) })),
      (chunks: readonly Chunk[]) => [chunks[1], chunks[0], ...chunks.slice(2)].filter((chunk) => chunk !== undefined),
      (chunks: readonly Chunk[]) => [chunks[0], chunks[0], ...chunks.slice(2)].filter((chunk) => chunk !== undefined),
    ]) {
      await expectRefused({ form, pieces: PIECES, spoilChunks }, BAD_SIGNATURE);
    }
  });

  it("detect a missing chunk even when the lengths match", async () => {
    await expectRefused(
      {
        form,
        pieces: PIECES,
        decodedLength: BODY.length - 16_384,
        spoilChunks: (chunks) => chunks.filter((_, index) => index !== 2),
      },
      BAD_SIGNATURE,
    );
  });

  it("are mandatory: unsigned chunks are rejected", async () => {
    await expectRefused(
      { form, pieces: PIECES, spoilBody: (text) => text.replaceAll(/;chunk-signature=[0-9a-f]{64}/g, "") },
      INCOMPLETE,
    );
  });

  it("accept chunks of 8192 bytes and more, and a smaller last chunk", async () => {
    await expectStored({ form, pieces: cut(BODY.subarray(0, 20_000), 8192) }, BODY.subarray(0, 20_000));
    await expectRefused(
      { form, pieces: cut(BODY, 8191) },
      { status: 400, code: "InvalidChunkSizeError", fields: { Chunk: expect.any(String), BadChunkSize: "8191" } },
    );
  });

  it("are rejected in an unsigned request", async () => {
    const bucket = await freshBucket();
    const whole = await chunkedUpload(`/${bucket}/k`, { form, pieces: PIECES });
    const headers = new Headers(whole.headers);
    headers.delete("authorization");
    await expectNoTrace(bucket, async () => {
      const response = await deliver(new Request(whole.url, { method: "PUT", headers, body: await whole.bytes() }));
      await expectS3Error(response, { status: 403, code: "AccessDenied" });
    });
  });
});

describe("the signature of trailers", () => {
  const form = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
  const trailers = { "x-amz-checksum-crc32": checksum("CRC32", BODY) };

  it("is verified against the received trailers", async () => {
    for (const spoilTrailerSignature of [() => "0".repeat(64), (it: string) => it.slice(1), () => ""]) {
      await expectRefused({ form, pieces: PIECES, trailers, spoilTrailerSignature }, BAD_SIGNATURE);
    }
    const spoilBody = (text: string) => text.replace(/x-amz-checksum-crc32:.{8}/, "x-amz-checksum-crc32:AAAAAA==");
    await expectRefused({ form, pieces: PIECES, trailers, spoilBody }, BAD_SIGNATURE);
  });

  it("is mandatory and must come last", async () => {
    await expectRefused(
      { form, pieces: PIECES, trailers, spoilBody: (text) => text.replace(/x-amz-trailer-signature:.*\r\n/, "") },
      INCOMPLETE,
    );
    await expectRefused(
      {
        form,
        pieces: PIECES,
        trailers,
        announced: "x-amz-checksum-crc32,x-amz-meta-late",
        spoilBody: (text) => `${text.slice(0, -2)}x-amz-meta-late:1\r\n\r\n`,
      },
      { status: 400, code: "MalformedTrailerError" },
    );
  });
});

describe("Content-Encoding", () => {
  it.each([
    ["aws-chunked", null],
    ["AWS-Chunked", null],
    ["aws-chunked,gzip", "gzip"],
    ["gzip, aws-chunked", "gzip"],
    ["gzip,aws-chunked,br", "gzip,br"],
    ["", null],
  ])("%j of an aws-chunked body is stored as %j", async (sent, stored) => {
    const bucket = await freshBucket();
    const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    const request = await chunkedUpload(`/${bucket}/k`, {
      form,
      pieces: PIECES,
      headers: { "content-encoding": sent },
    });
    expect((await deliver(request)).status).toBe(200);
    const response = await send("GET", `/${bucket}/k`);
    expect(response.headers.get("content-encoding")).toBe(stored);
    await expectBytes(response, BODY);
  });

  it.each(["deflate, gzip", "gzip", "br,gzip", "x-aws-chunked"])(
    "%j of a plain body is returned as sent",
    async (sent) => {
      const bucket = await freshBucket();
      expect((await send("PUT", `/${bucket}/k`, { body: BODY, headers: { "content-encoding": sent } })).status).toBe(
        200,
      );
      for (const method of ["GET", "HEAD"]) {
        expect((await send(method, `/${bucket}/k`)).headers.get("content-encoding")).toBe(sent);
      }
    },
  );
});

describe("a plain body", () => {
  it("streams 20 MB with every kind of verification", async () => {
    const bucket = await freshBucket();
    const body = noise(20_000_000);
    for (const headers of [
      {},
      { "x-amz-checksum-sha256": checksum("SHA256", body) },
      { "x-amz-checksum-crc32": checksum("CRC32", body), "content-md5": md5Base64(body) },
    ]) {
      const response = await send("PUT", `/${bucket}/k`, { body, headers });
      expect(response.status).toBe(200);
      await expectBytes(await send("GET", `/${bucket}/k`), body);
    }
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("is rejected with both Content-Length and Transfer-Encoding", async () => {
    const bucket = await freshBucket();
    const request = await signed("PUT", `/${bucket}/k`, { body: "abc" });
    const headers = new Headers(request.headers);
    headers.set("transfer-encoding", "chunked");
    await expectNoTrace(bucket, async () =>
      expectS3Error(await deliver(withBody(new Request(request.url, { method: "PUT", headers }), utf8("abc"))), {
        status: 411,
        code: "MissingContentLength",
      }),
    );
  });

  it("is rejected when it is missing although announced", async () => {
    const bucket = await freshBucket();
    for (const headers of [
      { "content-length": "3" },
      { "content-length": "3", "x-amz-checksum-sha256": checksum("SHA256", utf8("abc")) },
    ]) {
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { headers }), INCOMPLETE),
      );
    }
  });
});

describe("an envelope", () => {
  it.each(FORMS)("is rejected without a body: %s", async (form) => {
    const bucket = await freshBucket();
    const headers = { "x-amz-content-sha256": form, "x-amz-decoded-content-length": "0" };
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { headers }), { status: 400, code: "InvalidRequest" }),
    );
  });

  it.each(["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"])(
    "with SigV4A returns NotImplemented: %s",
    async (form) => {
      const bucket = await freshBucket();
      const headers = { "x-amz-content-sha256": form, "x-amz-decoded-content-length": "0" };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { headers, body: "0\r\n\r\n" }), {
          status: 501,
          code: "NotImplemented",
          fields: { Header: "x-amz-content-sha256" },
        }),
      );
    },
  );

  it("can also carry a document", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const document = utf8("<Delete><Object><Key>k</Key></Object></Delete>");
    const template = await chunkedUpload(`/${bucket}/ignored`, {
      form: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      pieces: [document],
      trailers: { "x-amz-checksum-crc32": checksum("CRC32", document) },
    });
    const body = await template.bytes();
    const response = await send("POST", `/${bucket}?delete`, {
      body,
      headers: {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": String(document.length),
        "x-amz-trailer": "x-amz-checksum-crc32",
      },
    });
    expect(response.status).toBe(200);
    expect((await storedStateOf(bucket)).objects).toEqual({});
  });
});

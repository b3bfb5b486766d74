// Upload bodies in aws-chunked: sizes, lengths, checksums and malformed chunks.
import { describe, expect, it } from "vitest";

import { chunkedUpload, cut } from "../support/aws-chunked.ts";
import { anonymous, deliver, send, streamOf } from "../support/client.ts";
import { ALGORITHMS, checksum, checksumHeader, expectBytes, md5Base64, noise, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { BODY, FORMS, INCOMPLETE, PIECES, expectRefused, expectStored } from "./bodies-fixture.ts";

describe.each(FORMS)("an aws-chunked body, %s,", (form) => {
  it.each([0, 1, 8191, 8192, 8193, 262_144, 1_000_000])("of %i bytes is stored without its envelope", async (size) => {
    const body = noise(size, size);
    await expectStored({ form, pieces: cut(body, 65_536) }, body);
  });

  it("is stored identically for every network chunking", async () => {
    for (const size of [8192, 10_007, 65_536, 100_000]) await expectStored({ form, pieces: cut(BODY, size) });
  });

  it("is stored without Content-Length when x-amz-decoded-content-length is sent", async () => {
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
    ["continues after its end", (text: string) => `${text}more`],
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

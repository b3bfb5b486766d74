// Bodies that differ from the signed or announced ones are never stored.
import { describe, expect, it } from "vitest";

import { chunkedUpload, cut } from "../support/aws-chunked.ts";
import { anonymous, deliver, ENDPOINT, presigned, send, signed, streamOf } from "../support/client.ts";
import { checksum, sha256Hex, utf8 } from "../support/digests.ts";
import { expectS3Error, type ExpectedError } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";

const TEXT = "the text of an object";
const FORM = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const ENVELOPE = `${TEXT.length.toString(16)}\r\n${TEXT}\r\n0\r\nx-amz-checksum-crc32:${checksum("CRC32", utf8(TEXT))}\r\n\r\n`;
const HEADERS = {
  "content-encoding": "aws-chunked",
  "x-amz-content-sha256": FORM,
  "x-amz-decoded-content-length": String(TEXT.length),
  "x-amz-trailer": "x-amz-checksum-crc32",
};

/** Sends a request with a forged signature, and asserts that nothing is stored. */
async function expectForgery(bucket: string, request: Request): Promise<void> {
  await expectNoTrace(bucket, async () => {
    const response = await deliver(request);
    expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("SignatureDoesNotMatch")]);
  });
}

function forged(text: string): string {
  return text.replace(/[0-9a-f]{64}$/, "0".repeat(64));
}

describe("an envelope without chunk signatures", () => {
  it("is decoded when its request is signed", async () => {
    const bucket = await freshBucket();
    const response = await send("PUT", `/${bucket}/k`, { headers: HEADERS, body: ENVELOPE });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe(TEXT);
  });

  it.each([
    ["a header", {}],
    ["a header, beside a request for extraction", { "x-amz-meta-snowball-auto-extract": "true" }],
    ["a header, beside a copy's source", { "x-amz-copy-source": "/b/k" }],
  ])("is rejected with a forged signature in %s", async (_where, more) => {
    const bucket = await freshBucket();
    const request = await signed("PUT", `/${bucket}/k`, { headers: { ...HEADERS, ...more }, body: ENVELOPE });
    const headers = new Headers(request.headers);
    headers.set("host", new URL(ENDPOINT).host);
    headers.set("authorization", forged(headers.get("authorization") ?? ""));
    await expectForgery(bucket, new Request(request.url, { method: "PUT", headers, body: request.body }));
  });

  it.each([
    ["its headers", HEADERS, ""],
    [
      "its query",
      {},
      `?X-Amz-Content-Sha256=${FORM}&x-amz-decoded-content-length=${TEXT.length}&x-amz-trailer=x-amz-checksum-crc32`,
    ],
    ["its query, beside a request for extraction", HEADERS, "?x-amz-meta-snowball-auto-extract=true"],
  ])("is none with a forged signature in a URL that announces it in %s", async (_where, headers, query) => {
    const bucket = await freshBucket();
    const request = await presigned("PUT", `/${bucket}/k${query}`, { headers, body: ENVELOPE });
    const target = forged(request.url).slice(ENDPOINT.length);
    const sent = Object.fromEntries(Array.from(request.headers).filter(([name]) => name !== "host"));
    await expectForgery(bucket, anonymous("PUT", target, { headers: sent, body: ENVELOPE }));
  });

  it("is not announced by a header that a presigned URL does not sign", async () => {
    const bucket = await freshBucket();
    const { url } = await presigned("PUT", `/${bucket}/k`);
    await expectNoTrace(bucket, async () => {
      const response = await deliver(
        anonymous("PUT", url.slice(ENDPOINT.length), { headers: HEADERS, body: ENVELOPE }),
      );
      expect(response.status).toBe(403);
      await response.arrayBuffer();
    });
  });
});

describe("a body", () => {
  it.each([
    ["other than the one whose hash was signed", sha256Hex(utf8("the signed one")), "another"],
    ["where the hash of none was signed", sha256Hex(new Uint8Array()), "something"],
    ["that is missing where one was signed", sha256Hex(utf8("the signed one")), ""],
  ])("%s is rejected", async (_what, hash, body) => {
    const bucket = await freshBucket();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { headers: { "x-amz-content-sha256": hash }, body }), {
        status: 400,
        code: "XAmzContentSHA256Mismatch",
        fields: { ClientComputedContentSHA256: hash, S3ComputedContentSHA256: sha256Hex(utf8(body)) },
      }),
    );
  });

  const TERABYTES = String(6 * 1024 ** 4);
  it.each<[what: string, decodedLength: string | null, expected: ExpectedError]>([
    ["of 6 TB", TERABYTES, { status: 400, code: "EntityTooLarge" }],
    ["of a length that no number holds", "9".repeat(30), { status: 400, code: "InvalidArgument" }],
    ["of less than nothing", "-1", { status: 400, code: "InvalidArgument" }],
    ["of more than it has", String(TEXT.length + 1), { status: 400, code: "IncompleteBody" }],
    ["of less than it has", String(TEXT.length - 1), { status: 400, code: "IncompleteBody" }],
    ["of no length", null, { status: 411, code: "MissingContentLength" }],
  ])("announced as one %s is rejected, in both kinds of envelope", async (_what, decodedLength, expected) => {
    const bucket = await freshBucket();
    for (const form of [FORM, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"] as const) {
      const request = await chunkedUpload(`/${bucket}/k`, { form, pieces: cut(utf8(TEXT), 8192), decodedLength });
      await expectNoTrace(bucket, async () => {
        const response = await deliver(request);
        const code = /<Code>([^<]*)/.exec(await response.text())?.[1];
        expect([response.status, code]).toEqual([expected.status, expected.code]);
      });
    }
  });

  it.each(["zz", "-10000", "ffffffffffffffff", "0x10000", "1e3", "+5", " 5", "", "5".repeat(100_000), "\0"])(
    "in a chunk of the size %.20s is rejected",
    async (size) => {
      const bucket = await freshBucket();
      const body = `${size}\r\n${TEXT}\r\n0\r\n\r\n`;
      const { "x-amz-trailer": _, ...headers } = HEADERS;
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k`, { headers, body }), { status: 400, code: "IncompleteBody" }),
      );
    },
  );

  it("that is shorter or longer than announced is not stored", async () => {
    const bucket = await freshBucket();
    for (const pieces of [[utf8("x".repeat(1000))], [], [utf8("x".repeat(5001))]]) {
      const headers = { "content-length": "5000" };
      await expectNoTrace(bucket, async () => {
        const ended = await send("PUT", `/${bucket}/k`, { headers, body: streamOf(pieces) });
        expect(ended.status).toBe(400);
        const failure = new Error("the client went away");
        const broken = await send("PUT", `/${bucket}/k`, { headers, body: streamOf(pieces, failure) });
        expect(broken.status).toBe(400);
      });
    }
  });
});

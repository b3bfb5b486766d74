// Signatures of chunks and trailers in aws-chunked upload bodies.
import { describe, expect, it } from "vitest";

import { chunkedUpload, cut, type Chunk } from "../support/aws-chunked.ts";
import { deliver } from "../support/client.ts";
import { checksum, noise } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNoTrace } from "../support/stored-state.ts";
import { BODY, FORMS, INCOMPLETE, PIECES, expectRefused, expectStored } from "./bodies-fixture.ts";

const SIGNED = FORMS.filter((form) => form.includes("AWS4"));

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

function replaceChunk(index: number, change: (chunk: Chunk) => Chunk): (chunks: readonly Chunk[]) => readonly Chunk[] {
  return (chunks) => chunks.map((chunk, at) => (at === index ? change(chunk) : chunk));
}

function flipped(data: Uint8Array): Uint8Array {
  return data.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
}

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

// aws-chunked bodies: whole ones are unwrapped, and one that is damaged anywhere stores nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { Check } from "../harness.ts";
import { hashBytes } from "../hashes.ts";
import { signRequest } from "./sign.ts";
import { assertAbsent, assertError, assertText, putText, type RawTools } from "./tools.ts";

const TEXT = "the text of an object in an envelope";
const SIGNED_CHUNK_BYTES = 65_536;

export function envelopeChecks(tools: RawTools): Check[] {
  const { bucket, site } = tools;
  const target = `/${bucket}/enveloped`;
  const put = (envelope: string, more: EnvelopeOptions = {}) => putEnvelope(tools, target, envelope, more);
  const damaged = (what: string, code: string, envelope: string, more: EnvelopeOptions = {}): Check => ({
    name: `an envelope with ${what} is refused with ${code}, nothing is stored, and an old object stays`,
    async run() {
      await tools.send({ method: "DELETE", target });
      assertError(await put(envelope, more), code === "SignatureDoesNotMatch" ? 403 : 400, code);
      await assertAbsent(tools, target);
      await putText(tools, target, "the old one");
      assertError(await put(envelope, more), code === "SignatureDoesNotMatch" ? 403 : 400, code);
      await assertText(tools, target, "the old one");
    },
  });
  const right = checksumOf(TEXT);
  const wrong = checksumOf(`${TEXT}.`);
  return [
    {
      name: "envelopes of one chunk, of many and of none are unwrapped",
      async run() {
        for (const chunks of [[TEXT], [TEXT.slice(0, 5), TEXT.slice(5, 6), TEXT.slice(6)], []]) {
          const text = chunks.join("");
          const { status, body } = await put(envelopeOf(chunks, trailer(checksumOf(text))), { length: text.length });
          assert.equal(status, 200, body);
          await assertText(tools, target, text);
        }
      },
    },
    damaged("a wrong checksum in its trailer", "BadDigest", envelopeOf([TEXT], trailer(wrong))),
    damaged("a checksum that is none", "InvalidRequest", envelopeOf([TEXT], trailer("????"))),
    damaged("a trailer that was not announced", "MalformedTrailerError", envelopeOf([TEXT], "x-amz-other: 1\r\n")),
    damaged("no trailer though one was announced", "MalformedTrailerError", envelopeOf([TEXT], "")),
    damaged("more bytes than it announced", "IncompleteBody", envelopeOf([TEXT], trailer(right)), {
      length: TEXT.length - 1,
    }),
    damaged("fewer bytes than it announced", "IncompleteBody", envelopeOf([TEXT], trailer(right)), {
      length: TEXT.length + 1,
    }),
    damaged("its end missing", "IncompleteBody", `${TEXT.length.toString(16)}\r\n${TEXT}\r\n`),
    damaged("a size line that is none", "InvalidRequest|IncompleteBody", `zz\r\n${TEXT}\r\n0\r\n\r\n`),
    {
      name: "a large body with a corrupted trailer stores nothing",
      async run() {
        const bytes = readFileSync(site.bodies.at(-1)?.file ?? "");
        const chunk = `${bytes.length.toString(16)}\r\n`;
        const body = Buffer.concat([Buffer.from(chunk), bytes, Buffer.from(`\r\n0\r\n${trailer(wrong)}\r\n`)]);
        assertError(await putEnvelope(tools, `${target}-large`, body, { length: bytes.length }), 400, "BadDigest");
        await assertAbsent(tools, `${target}-large`);
      },
    },
    {
      name: "chunks that are signed are unwrapped, and refused where a byte of them was changed",
      async run() {
        const text = "s".repeat(SIGNED_CHUNK_BYTES + 1024);
        const whole = await putSigned(tools, target, text, (envelope) => envelope);
        assert.equal(whole.status, 200, whole.body);
        await assertText(tools, target, text);
        const changed = await putSigned(tools, `${target}-changed`, text, (envelope) => envelope.replace("sss", "sSs"));
        assertError(changed, 403, "SignatureDoesNotMatch");
        await assertAbsent(tools, `${target}-changed`);
      },
    },
    {
      name: "Content-Encoding keeps what is not the envelope's",
      async run() {
        const headers = { "content-encoding": "gzip,aws-chunked" };
        const answer = await put(envelopeOf([TEXT], trailer(right)), { headers });
        assert.equal(answer.status, 200, answer.body);
        const got = await tools.send({ method: "GET", target });
        assert.equal(got.headers.get("content-encoding"), "gzip");
        assert.equal(got.body, TEXT);
      },
    },
  ];
}

interface EnvelopeOptions {
  /** What x-amz-decoded-content-length says; the length of TEXT otherwise. */
  readonly length?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an envelope as SDKs do over TLS: in HTTP's own chunks and without a Content-Length. */
function putEnvelope(tools: RawTools, target: string, envelope: string | Uint8Array, more: EnvelopeOptions) {
  const { head } = signRequest(
    {
      ...tools.identity,
      method: "PUT",
      target,
      payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": String(more.length ?? TEXT.length),
        "x-amz-trailer": "x-amz-checksum-crc32",
        ...more.headers,
      },
    },
    { "transfer-encoding": "chunked" },
  );
  const size = Buffer.byteLength(envelope).toString(16);
  return tools.sendPieces([head, `${size}\r\n`, envelope, "\r\n0\r\n\r\n"]);
}

function putSigned(tools: RawTools, target: string, text: string, change: (envelope: string) => string) {
  const { head, signature, sign, scope, amzDate } = signRequest(
    {
      ...tools.identity,
      method: "PUT",
      target,
      payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      headers: { "content-encoding": "aws-chunked", "x-amz-decoded-content-length": String(text.length) },
    },
    { "transfer-encoding": "chunked" },
  );
  let previous = signature;
  let envelope = "";
  for (let start = 0; start <= text.length; start += SIGNED_CHUNK_BYTES) {
    envelope += signedChunk(text.slice(start, start + SIGNED_CHUNK_BYTES));
  }
  envelope = change(envelope + signedChunk(""));
  return tools.sendPieces([head, `${envelope.length.toString(16)}\r\n`, envelope, "\r\n0\r\n\r\n"]);

  function signedChunk(data: string): string {
    const hashes = `${hashBytes("sha256", "")}\n${hashBytes("sha256", data)}`;
    previous = sign(`AWS4-HMAC-SHA256-PAYLOAD\n${amzDate}\n${scope}\n${previous}\n${hashes}`);
    return `${data.length.toString(16)};chunk-signature=${previous}\r\n${data}\r\n`;
  }
}

function envelopeOf(chunks: readonly string[], trailers: string): string {
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n${trailers}\r\n`;
}

function trailer(value: string): string {
  return `x-amz-checksum-crc32:${value}\r\n`;
}

function checksumOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64");
}

// Opens a request's body: its length, and access to its payload. The signed payload hash alone decides whether the body
// has an aws-chunked envelope. Envelope headers beside another hash are rejected, because the envelope would be stored
// as object bytes.
import { fromHex } from "../../bytes/hex-base64.ts";
import { PieceReader } from "../../bytes/streams.ts";
import type { IncomingBody, UnsizedBody } from "../../protocol/core/incoming-body.ts";
import { invalidArgument, S3Error } from "../../protocol/core/s3-error.ts";
import { requestHeader, type S3Request } from "../../protocol/core/s3-request.ts";
import { DECODED_LENGTH, refuseEnvelopeHeaders, TRAILER } from "../../protocol/core/envelope-headers.ts";
import { readAwsChunked } from "./aws-chunked.ts";
import type { VerifiedSignature } from "../sigv4/claim.ts";
import { parsePayloadHash } from "../sigv4/payload.ts";
import { incompleteBody, PieceCursor } from "./piece-cursor.ts";

/**
 * Opens the body of a request without reading it.
 * @param payloadHash the claim's, or an anonymous request's `x-amz-content-sha256`
 * @param signature the request's verified signature; undefined for an anonymous request
 * @throws S3Error MissingContentLength without a length, InvalidArgument for a bad length, a bad payload hash or one
 *   that contradicts the envelope headers, InvalidRequest for an envelope without a body or for signed chunks in an
 *   unsigned request, NotImplemented
 */
export function openBody(
  request: S3Request,
  payloadHash: string,
  signature: VerifiedSignature | undefined,
): IncomingBody {
  const payload = parsePayloadHash(payloadHash);
  if (payload.kind !== "chunked") {
    return plainBody(request, payload.kind === "sha256" ? fromHex(payload.hex) : undefined);
  }
  const { body } = request;
  if (body === null) throw new S3Error("InvalidRequest", {}, "The value of x-amz-content-sha256 header is invalid.");
  if (payload.signed && signature === undefined) {
    throw new S3Error("InvalidRequest", {}, "Signed chunks need a signed request.");
  }
  const length = parseLength(DECODED_LENGTH, requestHeader(request, DECODED_LENGTH));
  if (length === undefined) throw new S3Error("MissingContentLength");
  const trailerNames = parseTrailerNames(requestHeader(request, TRAILER) ?? "");
  const envelope = {
    length,
    trailerNames,
    hasTrailers: payload.trailer,
    signature: payload.signed ? signature : undefined,
  };
  return {
    length,
    sha256: undefined,
    trailerNames,
    plain: undefined,
    deliver: async (take) => readAwsChunked(new PieceReader(body), envelope, take),
  };
}

/**
 * Opens a body that may lack a length; an aws-chunked one always has it.
 * @throws S3Error what {@link openBody} throws, and MissingContentLength for a length beside a transfer encoding
 */
export function openBodyOfAnySize(
  request: S3Request,
  payloadHash: string,
  signature: VerifiedSignature | undefined,
): IncomingBody | UnsizedBody {
  const payload = parsePayloadHash(payloadHash);
  const { body, headers } = request;
  if (body === null || payload.kind === "chunked" || headers.has("content-length")) {
    return openBody(request, payloadHash, signature);
  }
  refuseEnvelopeHeaders(request, undefined);
  const sha256 = payload.kind === "sha256" ? fromHex(payload.hex) : undefined;
  return { length: undefined, sha256, trailerNames: [], stream: body };
}

function plainBody(request: S3Request, sha256: Uint8Array | undefined): IncomingBody {
  const { body, headers } = request;
  const length = parseLength("Content-Length", headers.get("content-length") ?? undefined);
  // Transfer-Encoding overrides Content-Length (RFC 9112, 6.3), so a length beside it is not reliable.
  const isMeasured = length !== undefined && !headers.has("transfer-encoding");
  if (body !== null && !isMeasured) throw new S3Error("MissingContentLength");
  const announced = length ?? 0;
  refuseEnvelopeHeaders(request, announced);
  return {
    length: announced,
    sha256,
    trailerNames: [],
    plain: body ?? undefined,
    deliver: async (take) => {
      if (body !== null) await readPlain(body, announced, take);
      else if (announced > 0) throw incompleteBody();
      return new Map();
    },
  };
}

async function readPlain(
  body: ReadableStream<Uint8Array>,
  length: number,
  take: (piece: Uint8Array) => Promise<void>,
): Promise<void> {
  const reader = new PieceReader(body, length);
  try {
    const cursor = new PieceCursor(reader);
    for (let left = length; left > 0;) {
      const bytes = await cursor.run(left);
      await take(bytes);
      left -= bytes.length;
    }
    if (!(await cursor.isAtEnd())) throw incompleteBody();
  } catch (error) {
    reader.cancel();
    throw error;
  }
}

function parseLength(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(length)) {
    throw invalidArgument(name, text, `The ${name} header must be a whole number of bytes.`);
  }
  return length;
}

function parseTrailerNames(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim().toLowerCase());
  return [...new Set(names.filter((name) => name !== ""))];
}

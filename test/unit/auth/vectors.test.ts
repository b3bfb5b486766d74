// AWS's published examples through the code that serves requests: parsed, verified, decoded.
import { describe, expect, it } from "vitest";

import { readClaim, verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import type { VerifiedSignature } from "../../../src/auth/sigv4/claim.ts";
import { openBody } from "../../../src/auth/body/open-body.ts";
import { claimOfForm, verifyPostClaim } from "../../../src/auth/sigv4/post-signature.ts";
import { sign, signingKey } from "../../../src/auth/sigv4/signature.ts";
import { FormFields } from "../../../src/protocol/forms/post-form.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import vectors from "../../fixtures/sigv4.json";
import { bytesOf, byteStreamOf, caught, concat, requestOf, VECTOR_TIME } from "./support.ts";

const SCOPE = `20130524/${vectors.region}/${vectors.service}/aws4_request`;

/** The request of a canonical request. */
function requestOfVector(name: string, signature: string, canonicalRequest: string, body?: Uint8Array): S3Request {
  const [method = "", path = "", query = "", ...lines] = canonicalRequest.split("\n");
  const end = lines.indexOf("");
  const headers = new Headers();
  for (const line of lines.slice(0, end)) {
    headers.set(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1));
  }
  const signedHeaders = lines[end + 1] ?? "";
  if (name !== "presign") {
    headers.set(
      "authorization",
      `AWS4-HMAC-SHA256 Credential=${vectors.accessKeyId}/${SCOPE},SignedHeaders=${signedHeaders},Signature=${signature}`,
    );
  }
  const search = name === "presign" ? `${query}&X-Amz-Signature=${signature}` : query;
  return requestOf(`https://${headers.get("host")}${path}${search === "" ? "" : `?${search}`}`, {
    method,
    headers,
    body: body === undefined ? null : byteStreamOf(body),
  });
}

async function verify(request: S3Request): Promise<VerifiedSignature> {
  const claim = readClaim(request, VECTOR_TIME);
  if (claim === undefined) throw new Error("anonymous");
  return verifyClaim(request, claim, vectors.secretAccessKey);
}

describe("AWS's example requests", () => {
  it.each(vectors.requests)("$name verifies", async ({ name, signature, canonicalRequest }) => {
    const verified = await verify(requestOfVector(name, signature, canonicalRequest));
    expect(verified).toMatchObject({ accessKeyId: vectors.accessKeyId, amzDate: vectors.date, signature });
    expect(verified.scope).toEqual({ date: "20130524", region: "us-east-1", service: "s3" });
  });

  it.each(vectors.requests)("$name does not verify with another signature", async ({ name, canonicalRequest }) => {
    const other = vectors.requests.find((vector) => vector.name !== name)?.signature ?? "";
    const error = await caught(() => verify(requestOfVector(name, other, canonicalRequest)));
    expect(error.code).toBe("SignatureDoesNotMatch");
    expect(error.fields["CanonicalRequest"]).toBe(canonicalRequest);
    expect(error.fields["SignatureProvided"]).toBe(other);
  });

  it("a presigned URL is valid up to its last second", async () => {
    const vector = vectors.requests.find(({ name }) => name === "presign");
    if (vector === undefined) throw new Error("no vector");
    const request = requestOfVector("presign", vector.signature, vector.canonicalRequest);
    const end = VECTOR_TIME + 86_400_000;
    expect(readClaim(request, end)).toMatchObject({ form: "query", expiresAt: end, payloadHash: "UNSIGNED-PAYLOAD" });
    expect((await caught(() => readClaim(request, end + 1))).message).toBe("Request has expired");
  });
});

describe("AWS's example of a POST policy", () => {
  it("is signed by sign()", async () => {
    const { date, policyBase64, signature } = vectors.postPolicy;
    const key = await signingKey(vectors.secretAccessKey, { date, region: vectors.region, service: "s3" });
    expect(Array.from(await sign(key, policyBase64), (byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(
      signature,
    );
  });

  it("verifies as form fields, up to a week later, and with no other signature", async () => {
    const { date, policyBase64, signature } = vectors.postPolicy;
    const fields = (signed: string): FormFields => {
      const all = new FormFields();
      all.add("X-Amz-Credential", `${vectors.accessKeyId}/${date}/us-east-1/s3/aws4_request`);
      all.add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
      all.add("X-Amz-Date", `${date}T000000Z`);
      all.add("Policy", policyBase64);
      all.add("X-Amz-Signature", signed);
      return all;
    };
    const end = Date.UTC(2016, 0, 5);
    const claim = claimOfForm(fields(signature), end);
    expect(claim).toMatchObject({ form: "post", accessKeyId: vectors.accessKeyId, policy: policyBase64 });
    if (claim === undefined) return;
    await verifyPostClaim(claim, vectors.secretAccessKey);
    const error = await caught(() => verifyPostClaim(claim, `${vectors.secretAccessKey}x`));
    expect(error).toMatchObject({ code: "SignatureDoesNotMatch", fields: { StringToSign: policyBase64 } });
    expect((await caught(() => claimOfForm(fields(signature), end + 1))).code).toBe("AccessDenied");
  });
});

describe("AWS's example uploads in chunks", () => {
  const payload = bytesOf("a".repeat(65_536 + 1024));

  function bodyOf(chunks: readonly { readonly size: number; readonly signature: string }[], end: string): Uint8Array {
    const parts = chunks.flatMap(({ size, signature }) => [
      bytesOf(`${size.toString(16)};chunk-signature=${signature}\r\n`),
      bytesOf(size > 0 ? `${"a".repeat(size)}\r\n` : ""),
    ]);
    return concat([...parts, bytesOf(end)]);
  }

  async function deliver(seed: string, body: Uint8Array): Promise<[Uint8Array, ReadonlyMap<string, string>]> {
    const vector = vectors.requests.find(({ name }) => name === seed);
    if (vector === undefined) throw new Error("no vector");
    const request = requestOfVector(seed, vector.signature, vector.canonicalRequest, body);
    const payloadHash = request.headers.get("x-amz-content-sha256") ?? "";
    const incoming = openBody(request, payloadHash, await verify(request));
    const pieces: Uint8Array[] = [];
    const trailers = await incoming.deliver(async (piece) => {
      pieces.push(piece.slice());
    });
    expect(incoming.length).toBe(66_560);
    return [concat(pieces), trailers];
  }

  it("are passed on when every chunk's signature is correct", async () => {
    const body = bodyOf(vectors.chunked.chunks, "\r\n");
    expect(body.length).toBe(66_824);
    const [delivered, trailers] = await deliver("chunk-seed", body);
    expect(delivered).toEqual(payload);
    expect(trailers.size).toBe(0);
  });

  const trailing = `${vectors.chunkedTrailer.trailer.trim()}\r\nx-amz-trailer-signature:${vectors.chunkedTrailer.trailerSignature}\r\n\r\n`;

  it("are passed on with their trailers", async () => {
    const [delivered, trailers] = await deliver("tr-seed", bodyOf(vectors.chunkedTrailer.chunks, trailing));
    expect(delivered).toEqual(payload);
    expect([...trailers]).toEqual([["x-amz-checksum-crc32c", "sOO8/Q=="]]);
  });

  it.each([0, 1, 2])("are rejected when the signature of chunk %i is another's", async (index) => {
    const { chunks } = vectors.chunkedTrailer;
    const forged = chunks.with(index, { size: chunks[index]?.size ?? 0, fill: "a", signature: "0".repeat(64) });
    const error = await caught(() => deliver("tr-seed", bodyOf(forged, trailing)));
    expect([error.code, error.status]).toEqual(["SignatureDoesNotMatch", 403]);
    expect(error.fields["SignatureProvided"]).toBe("0".repeat(64));
  });

  it("are rejected when the chain began with another request", async () => {
    const error = await caught(() => deliver("chunk-seed", bodyOf(vectors.chunkedTrailer.chunks, "\r\n")));
    expect(error.code).toBe("SignatureDoesNotMatch");
  });
});

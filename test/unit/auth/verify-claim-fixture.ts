// Requests whose received form differs from the form that the client signed.
import { readClaim, verifyClaim } from "../../../src/auth/sigv4/authenticate.ts";
import type { SigningClaim } from "../../../src/auth/sigv4/claim.ts";
import type { S3Request } from "../../../src/protocol/core/s3-request.ts";
import { ACCESS_KEY_ID, EMPTY_SHA256, requestOf, SECRET_ACCESS_KEY, signCanonical, VECTOR_TIME } from "./support.ts";

export const AMZ_DATE = "20130524T000000Z";
export const HOST = "s3.example.com";

export interface Sent {
  readonly method?: string;
  /** The raw path on the wire. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: HeadersInit;
  readonly clientAcceptEncoding?: string;
}

export interface Signed {
  readonly method?: string;
  /** The path, query and headers of the client's canonical request. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** The received form `sent` of a request that the client signed as `signed`. */
export async function requestSigning(signed: Signed, sent: Sent): Promise<S3Request> {
  const all = [
    ["host", HOST] as const,
    ["x-amz-content-sha256", EMPTY_SHA256] as const,
    ["x-amz-date", AMZ_DATE] as const,
    ...(signed.headers ?? []),
  ].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const names = all.map(([name]) => name).join(";");
  const lines = all.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [signed.method ?? "GET", signed.path, signed.query ?? "", lines, names, EMPTY_SHA256].join("\n");
  const signature = await signCanonical(canonical, AMZ_DATE);
  const headers = new Headers(sent.headers);
  if (!headers.has("host")) headers.set("host", HOST);
  headers.set("x-amz-content-sha256", EMPTY_SHA256);
  headers.set("x-amz-date", AMZ_DATE);
  headers.set(
    "authorization",
    `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
  );
  return requestOf(`https://${HOST}${sent.path}${sent.query === undefined ? "" : `?${sent.query}`}`, {
    method: sent.method ?? signed.method ?? "GET",
    headers,
    ...(sent.clientAcceptEncoding === undefined ? {} : { clientAcceptEncoding: sent.clientAcceptEncoding }),
  });
}

export function claimOf(request: S3Request): SigningClaim {
  const claim = readClaim(request, VECTOR_TIME);
  if (claim === undefined) throw new Error("anonymous");
  return claim;
}

export async function verify(request: S3Request, secret = SECRET_ACCESS_KEY) {
  return verifyClaim(request, claimOf(request), secret);
}

// Reads a claim from the Authorization header and the headers that belong to it: x-amz-date, x-amz-content-sha256,
// x-amz-security-token.
import { formatAmzDate, parseAmzDate, parseHttpDate } from "../../bytes/dates.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import { ALGORITHM, MAX_SKEW_MS, formatErrorTime, dateMismatch, parseCredential, type SigningClaim } from "./claim.ts";
import { parsePayloadHash } from "./payload.ts";
import { parseSignedHeaders, requireSignedHeaders } from "./signed-headers.ts";

const FIELDS: ReadonlySet<string> = new Set(["Credential", "SignedHeaders", "Signature"]);

/** Whether an Authorization header has the only accepted scheme. */
export function isSigV4Header(authorization: string): boolean {
  return /^AWS4-HMAC-SHA256(?:\s|$)/.test(authorization);
}

/**
 * Reads the claim of an Authorization header with the scheme {@link ALGORITHM}.
 * @param now the server's time in milliseconds since the epoch
 * @throws S3Error AuthorizationHeaderMalformed, RequestTimeTooSkewed, InvalidRequest without a payload hash,
 *   InvalidArgument or NotImplemented for a bad one, AccessDenied without a date or with unsigned headers
 */
export function claimOfHeader(
  authorization: string,
  request: S3Request,
  now: number,
  services: ReadonlySet<string>,
): SigningClaim {
  const fields = parseFields(authorization.slice(ALGORITHM.length));
  const signedHeaders = parseSignedHeaders(fields.signedHeaders);
  if (signedHeaders === undefined) throw malformed("the SignedHeaders component is mal-formed.");
  const { accessKeyId, scope } = parseCredential(fields.credential, services, malformed);

  const amzDateHeader = request.headers.get("x-amz-date");
  const stamp = amzDateHeader ?? request.headers.get("date") ?? "";
  const amzTime = parseAmzDate(stamp);
  const time = amzTime ?? parseHttpDate(stamp);
  if (time === undefined) {
    throw new S3Error("AccessDenied", {}, "AWS authentication requires a valid Date or x-amz-date header");
  }
  const amzDate = amzTime === undefined ? formatAmzDate(time) : stamp;
  const refusal = dateMismatch(scope, amzDate);
  if (refusal !== undefined) throw malformed(refusal);
  checkSkew(stamp, time, now);

  const payloadHash = request.headers.get("x-amz-content-sha256");
  if (payloadHash !== null) parsePayloadHash(payloadHash);
  // Only S3's clients send the header; other services sign the digest without a header.
  else if (scope.service === "s3") {
    throw new S3Error("InvalidRequest", {}, "Missing required header for this request: x-amz-content-sha256");
  }
  requireSignedHeaders(request, signedHeaders, "header", amzDateHeader === null ? "date" : undefined);
  return {
    form: "header",
    accessKeyId,
    scope,
    signedHeaders,
    signature: fields.signature,
    amzDate,
    payloadHash: payloadHash ?? "",
    sessionToken: request.headers.get("x-amz-security-token") ?? undefined,
    expiresAt: undefined,
  };
}

/**
 * The three fields, in any order, separated by commas and optional spaces. Rejects a second Authorization header too.
 */
function parseFields(text: string): { credential: string; signedHeaders: string; signature: string } {
  const found = new Map<string, string>();
  for (const field of text.split(",")) {
    const equals = field.indexOf("=");
    const name = field.slice(0, Math.max(equals, 0)).trim();
    if (!FIELDS.has(name) || found.has(name)) throw malformed(THREE_COMPONENTS);
    found.set(name, field.slice(equals + 1).trim());
  }
  const credential = found.get("Credential");
  const signedHeaders = found.get("SignedHeaders");
  const signature = found.get("Signature");
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw malformed(THREE_COMPONENTS);
  }
  return { credential, signedHeaders, signature };
}

const THREE_COMPONENTS =
  "the authorization header requires three components: Credential, SignedHeaders, and Signature.";

function checkSkew(stamp: string, time: number, now: number): void {
  if (Math.abs(now - time) <= MAX_SKEW_MS) return;
  throw new S3Error("RequestTimeTooSkewed", {
    RequestTime: stamp,
    ServerTime: formatErrorTime(now),
    MaxAllowedSkewMilliseconds: MAX_SKEW_MS,
  });
}

function malformed(sentence: string): S3Error {
  return new S3Error("AuthorizationHeaderMalformed", {}, `The authorization header is malformed; ${sentence}`);
}

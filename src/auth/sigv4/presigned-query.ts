// Reads a claim from the query of a presigned URL.
import { parseAmzDate } from "../../bytes/dates.ts";
import type { Query } from "../../protocol/core/query.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import { ALGORITHM, MAX_SKEW_MS, formatErrorTime, dateMismatch, parseCredential, type SigningClaim } from "./claim.ts";
import { UNSIGNED_PAYLOAD, parsePayloadHash } from "./payload.ts";
import { parseSignedHeaders, requireSignedHeaders } from "./signed-headers.ts";

/** The longest validity of a presigned URL, in seconds. */
const EXPIRES_MAX_SECONDS = 604800;

const AUTHENTICATION_PARAMETERS: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-content-sha256",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-expires",
  "x-amz-security-token",
  "x-amz-signature",
  "x-amz-signedheaders",
]);
const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set(["x-amz-algorithm", "x-amz-credential", "x-amz-signature"]);

/** Whether a query counts as presigned, even if it is malformed. Such a request is never anonymous. */
export function isPresigned(query: Query): boolean {
  // The usual spelling is found without looking at each parameter.
  if (query.has("X-Amz-Signature")) return true;
  return query.parameters.some((parameter) => SIGNATURE_PARAMETERS.has(parameter.name.toLowerCase()));
}

/**
 * Reads the claim of a presigned URL.
 * @param now the server's time in milliseconds since the epoch
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @throws S3Error AuthorizationQueryParametersError; AccessDenied if it has expired, is not valid yet or comes with
 *   unsigned headers; InvalidArgument or NotImplemented for a bad payload hash
 */
export function claimOfQuery(request: S3Request, now: number, services: ReadonlySet<string>): SigningClaim {
  const found = readOnce(request.query);
  const { query } = request;
  const algorithm = query.get("X-Amz-Algorithm");
  const credential = query.get("X-Amz-Credential");
  const amzDate = query.get("X-Amz-Date");
  const expires = query.get("X-Amz-Expires");
  const headerList = query.get("X-Amz-SignedHeaders");
  const signature = query.get("X-Amz-Signature");
  if (
    algorithm === undefined ||
    credential === undefined ||
    amzDate === undefined ||
    expires === undefined ||
    headerList === undefined ||
    signature === undefined
  ) {
    throw new S3Error("AuthorizationQueryParametersError");
  }
  if (algorithm !== ALGORITHM) throw refused(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const { accessKeyId, scope } = parseCredential(credential, services, (sentence) =>
    refused(`Error parsing the X-Amz-Credential parameter; ${sentence}`),
  );
  const time = parseAmzDate(amzDate);
  if (time === undefined) {
    throw refused(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  const refusal = dateMismatch(scope, amzDate);
  if (refusal !== undefined) throw refused(refusal);
  const signedHeaders = parseSignedHeaders(headerList);
  if (signedHeaders === undefined) throw refused("The X-Amz-SignedHeaders parameter is mal-formed.");
  const expiresAt = checkTime(time, parseExpires(expires), now);

  const sent = signedHeaders.includes("x-amz-content-sha256") ? request.headers.get("x-amz-content-sha256") : null;
  const payloadHash = sent ?? found.get("x-amz-content-sha256") ?? UNSIGNED_PAYLOAD;
  parsePayloadHash(payloadHash);
  requireSignedHeaders(request, signedHeaders, "query");
  return {
    form: "query",
    accessKeyId,
    scope,
    signedHeaders,
    signature,
    amzDate,
    payloadHash,
    sessionToken: found.get("x-amz-security-token") ?? request.headers.get("x-amz-security-token") ?? undefined,
    expiresAt,
  };
}

/**
 * The authentication parameters by lower-case name. Rejects repeated ones, of which the signed one may not be the one
 * used.
 */
function readOnce(query: Query): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { name, value } of query.parameters) {
    const lower = name.toLowerCase();
    if (!AUTHENTICATION_PARAMETERS.has(lower)) continue;
    if (found.has(lower)) throw refused(`The ${name} parameter must be given only once.`);
    found.set(lower, value);
  }
  return found;
}

function parseExpires(text: string): number {
  if (/^-\d+$/.test(text)) throw refused("X-Amz-Expires must be non-negative");
  if (!/^\d+$/.test(text)) throw refused("X-Amz-Expires should be a number");
  const seconds = Number(text);
  if (seconds > EXPIRES_MAX_SECONDS) {
    throw refused(
      "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
    );
  }
  if (seconds === 0) throw refused("X-Amz-Expires must be at least 1 second");
  return seconds;
}

function checkTime(time: number, seconds: number, now: number): number {
  if (time > now + MAX_SKEW_MS) throw new S3Error("AccessDenied", {}, "Request is not valid yet");
  const expiresAt = time + seconds * 1000;
  if (now <= expiresAt) return expiresAt;
  throw new S3Error(
    "AccessDenied",
    { "X-Amz-Expires": seconds, Expires: formatErrorTime(expiresAt), ServerTime: formatErrorTime(now) },
    "Request has expired",
  );
}

function refused(message: string): S3Error {
  return new S3Error("AuthorizationQueryParametersError", {}, message);
}

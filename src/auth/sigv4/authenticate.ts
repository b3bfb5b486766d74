// Reads the claim of a request and verifies it. Knows no keys: the caller looks the secret up between the two steps.
import { invalidArgument } from "../../protocol/core/s3-error.ts";
import type { S3Request } from "../../protocol/core/s3-request.ts";
import { claimOfHeader, isSigV4Header } from "./authorization-header.ts";
import { canonicalRequests, missingHeaders } from "./canonical-request.ts";
import { S3_ONLY, unsupportedSigV2, type SigningClaim, type VerifiedSignature } from "./claim.ts";
import { claimOfQuery, isPresigned } from "./presigned-query.ts";
import { isSignature, sign, signatureDoesNotMatch, signingKey, stringToSign } from "./signature.ts";

/**
 * Reads a request's claim; undefined for a request without credentials. An Authorization header of another scheme
 * (Bearer) beside a presigned URL is ignored, because it is meant for a proxy.
 * @param now the server's time in milliseconds since the epoch
 * @param services the services whose scopes are accepted
 * @throws S3Error InvalidArgument for two mechanisms or an unknown one, InvalidRequest for SigV2, and what {@link
 *   claimOfHeader} and {@link claimOfQuery} throw
 */
export function readClaim(
  request: S3Request,
  now: number,
  services: ReadonlySet<string> = S3_ONLY,
): SigningClaim | undefined {
  const authorization = request.headers.get("authorization");
  const header = authorization === null ? "none" : schemeOf(authorization);
  const hasQuery = isPresigned(request.query);
  const hasSigV2Query = request.query.has("AWSAccessKeyId");
  if (Number(header === "v4" || header === "v2") + Number(hasQuery) + Number(hasSigV2Query) > 1) {
    throw invalidArgument(
      "Authorization",
      shownScheme(authorization),
      "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
    );
  }
  if (header === "v2" || hasSigV2Query) {
    throw unsupportedSigV2();
  }
  if (hasQuery) return claimOfQuery(request, now, services);
  if (authorization === null) return undefined;
  if (header === "v4") return claimOfHeader(authorization, request, now, services);
  throw invalidArgument("Authorization", shownScheme(authorization), "Unsupported Authorization Type");
}

/**
 * The maximum length of all canonical requests tried after the first. Those of real clients have one or two kilobytes;
 * a forger could otherwise have the server hash a long one a hundred times.
 */
const TRIED_MAX_LENGTH = 256 * 1024;

/**
 * Verifies a claim with the secret of its access key, and compares signatures in constant time.
 * @throws S3Error SignatureDoesNotMatch with the expected canonical request and string to sign
 */
export async function verifyClaim(
  request: S3Request,
  claim: SigningClaim,
  secretAccessKey: string,
): Promise<VerifiedSignature> {
  return verifyWithKey(request, claim, await signingKey(secretAccessKey, claim.scope));
}

/** {@link verifyClaim} with the signing key of the secret in the claim's scope. */
export async function verifyWithKey(
  request: S3Request,
  claim: SigningClaim,
  key: CryptoKey,
): Promise<VerifiedSignature> {
  const { accessKeyId, scope, amzDate, signature } = claim;
  let expected: { readonly canonicalRequest: string; readonly signed: string } | undefined;
  let tried = 0;
  for (const canonicalRequest of canonicalRequests(request, claim)) {
    tried += canonicalRequest.length;
    if (expected !== undefined && tried > TRIED_MAX_LENGTH) break;
    const signed = await stringToSign(amzDate, scope, canonicalRequest);
    if (isSignature(signature, await sign(key, signed))) {
      return { accessKeyId, scope, amzDate, signature, signingKey: key };
    }
    expected ??= { canonicalRequest, signed };
  }
  const missing = missingHeaders(request, claim.signedHeaders);
  throw signatureDoesNotMatch(
    accessKeyId,
    signature,
    expected?.signed ?? "",
    expected?.canonicalRequest,
    missing.length === 0 ? "" : ` Signed headers that did not reach the server: ${missing.join(", ")}.`,
  );
}

/**
 * AWS's errors repeat the whole header, but the text after Basic or Bearer is a secret and answers can end up in logs.
 */
function shownScheme(authorization: string | null): string | undefined {
  return /^[\w-]+(?=\s)/.exec(authorization ?? "")?.[0];
}

function schemeOf(authorization: string): "v4" | "v2" | "foreign" {
  if (isSigV4Header(authorization)) return "v4";
  return /^AWS(?:\s|$)/.test(authorization) ? "v2" : "foreign";
}

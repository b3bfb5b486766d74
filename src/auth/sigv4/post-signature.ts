// The signature of a POST form, which covers the form's policy.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html
import { parseAmzDate } from "../../bytes/dates.ts";
import type { FormFields } from "../../protocol/forms/post-form.ts";
import { invalidArgument, S3Error } from "../../protocol/core/s3-error.ts";
import {
  ALGORITHM,
  MAX_SKEW_MS,
  S3_ONLY,
  dateMismatch,
  parseCredential,
  unsupportedSigV2,
  type SigningClaim,
} from "./claim.ts";
import { UNSIGNED_PAYLOAD } from "./payload.ts";
import { isSignature, sign, signatureDoesNotMatch, signingKey } from "./signature.ts";

/** How long a form's signature is valid, in milliseconds: as long as the longest presigned URL. */
const MAX_AGE_MS = 7 * 24 * 3600 * 1000;

/** A form with one of these fields counts as signed, even if it is malformed, and never as anonymous. */
const SIGNATURE_FIELDS = [
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Signature",
  "X-Amz-Security-Token",
] as const;
const SIGV2_FIELDS = ["AWSAccessKeyId", "Signature"] as const;

/** A well-formed and timely signature of a form that is not verified. */
export interface PostClaim extends SigningClaim {
  /** The base64 text as sent, which is what the signature covers. */
  readonly policy: string;
}

/**
 * Reads the claim of a form; undefined for a form without signature fields, whose policy has no effect.
 * @param now milliseconds since the epoch
 * @throws S3Error InvalidArgument for missing or malformed fields, InvalidRequest for SigV2, AccessDenied for a
 *   signature that is too old or not valid yet
 */
export function claimOfForm(fields: FormFields, now: number): PostClaim | undefined {
  if (SIGV2_FIELDS.some((name) => fields.has(name))) {
    throw unsupportedSigV2();
  }
  if (!SIGNATURE_FIELDS.some((name) => fields.has(name))) return undefined;
  const algorithm = fields.require("X-Amz-Algorithm");
  const credential = fields.require("X-Amz-Credential");
  const amzDate = fields.require("X-Amz-Date");
  const signature = fields.require("X-Amz-Signature");
  const policy = fields.require("Policy");
  if (algorithm !== ALGORITHM) {
    throw invalidArgument("X-Amz-Algorithm", algorithm, `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const ofCredential = (sentence: string): S3Error => invalidArgument("X-Amz-Credential", credential, sentence);
  const { accessKeyId, scope } = parseCredential(credential, S3_ONLY, ofCredential);
  const time = parseAmzDate(amzDate);
  if (time === undefined) {
    throw invalidArgument("X-Amz-Date", amzDate, "X-Amz-Date must be formated via ISO8601 Long format");
  }
  const refusal = dateMismatch(scope, amzDate);
  if (refusal !== undefined) throw ofCredential(refusal);
  if (time > now + MAX_SKEW_MS) throw new S3Error("AccessDenied", {}, "Request is not valid yet");
  if (now > time + MAX_AGE_MS) throw new S3Error("AccessDenied", {}, "Invalid according to Policy: Policy expired.");
  return {
    form: "post",
    accessKeyId,
    scope,
    signedHeaders: [],
    signature,
    amzDate,
    payloadHash: UNSIGNED_PAYLOAD,
    sessionToken: fields.get("X-Amz-Security-Token"),
    expiresAt: undefined,
    policy,
  };
}

/**
 * Verifies a form's signature with the secret of its access key.
 * @throws S3Error SignatureDoesNotMatch
 */
export async function verifyPostClaim(claim: PostClaim, secretAccessKey: string): Promise<void> {
  const { accessKeyId, scope, signature, policy } = claim;
  const key = await signingKey(secretAccessKey, scope);
  if (!isSignature(signature, await sign(key, policy))) throw signatureDoesNotMatch(accessKeyId, signature, policy);
}

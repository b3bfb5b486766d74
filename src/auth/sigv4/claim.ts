// The unverified signature fields of a request, in any of SigV4's forms, and the verified signature. Parses and checks
// text only; other files verify the signature.
import { formatIsoDate } from "../../bytes/dates.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";

/** The only accepted algorithm, as requests name it. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** The maximum difference between a client's clock and the server's, in milliseconds. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** The services whose scopes are accepted by default. */
export const S3_ONLY: ReadonlySet<string> = new Set(["s3"]);

/** The last part of every scope. */
export const TERMINAL = "aws4_request";

/** The day, region and service that a signing key is valid for. */
export interface Scope {
  /** `yyyymmdd` */
  readonly date: string;
  /** As the client wrote it; any region is accepted, even an empty one. */
  readonly region: string;
  readonly service: string;
}

/** A well-formed and timely signature that is not verified. */
export interface SigningClaim {
  readonly form: "header" | "query" | "post";
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Lower-case names in the client's order. */
  readonly signedHeaders: readonly string[];
  /** As sent; it need not be hexadecimal. */
  readonly signature: string;
  /** `yyyymmddThhmmssZ`, as in the string to sign. */
  readonly amzDate: string;
  /** The last line of the canonical request. Empty for services other than S3, which compute it from the body. */
  readonly payloadHash: string;
  readonly sessionToken: string | undefined;
  /** When a presigned URL expires, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** A verified claim: its access key, and the start of the chain that signed chunks continue. */
export interface VerifiedSignature {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly amzDate: string;
  readonly signature: string;
  readonly signingKey: CryptoKey;
}

/** The scope as in strings to sign: `20130524/us-east-1/s3/aws4_request`. */
export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${TERMINAL}`;
}

/**
 * Parses `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`.
 * @param services the services that the scope may name
 * @param refusal makes the error from one of AWS's sentences
 * @throws what `refusal` returns
 */
export function parseCredential(
  text: string,
  services: ReadonlySet<string>,
  refusal: (sentence: string) => S3Error,
): { readonly accessKeyId: string; readonly scope: Scope } {
  const parts = text.split("/");
  const [accessKeyId, date, region, service, terminal] = parts;
  if (
    parts.length !== 5 ||
    accessKeyId === undefined ||
    accessKeyId === "" ||
    date === undefined ||
    region === undefined ||
    service === undefined
  ) {
    throw refusal('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (!/^\d{8}$/.test(date)) {
    throw refusal(`incorrect date format "${date}". This date in the credential must be in the format "yyyyMMdd".`);
  }
  if (!services.has(service)) {
    throw refusal(`incorrect service "${service}". This endpoint belongs to "${[...services].join('", "')}".`);
  }
  if (terminal !== TERMINAL) {
    throw refusal(`incorrect terminal "${terminal ?? ""}". This endpoint uses "${TERMINAL}".`);
  }
  return { accessKeyId, scope: { date, region, service } };
}

/**
 * 400 InvalidRequest for SigV2. boto3 and aws-cli 1 presign with SigV2 in AWS's own regions, so the message names the
 * settings that select SigV4.
 */
export function unsupportedSigV2(): S3Error {
  return new S3Error(
    "InvalidRequest",
    {},
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. For presigned URLs and forms of boto3 and aws-cli, set the region to auto, or signature_version to s3v4.",
  );
}

/** The error's sentence if the scope's day is not the request's; undefined if they are equal. */
export function dateMismatch(scope: Scope, amzDate: string): string | undefined {
  const day = amzDate.slice(0, 8);
  if (scope.date === day) return undefined;
  return `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${day}".`;
}

/** `2026-01-02T03:04:05Z`: times in errors have no fractions, unlike other dates in XML. */
export function formatErrorTime(time: number): string {
  return formatIsoDate(time).replace(/\.\d{3}Z$/, "Z");
}

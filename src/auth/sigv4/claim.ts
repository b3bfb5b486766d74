// What a request says about its signer, whichever of SigV4's two forms it uses, and what is left once that is proved.
// Only reads and checks text; whether the signature is right is decided elsewhere.
import { formatIsoDate } from "../../bytes/dates.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";

/** The algorithm of every signature that is accepted, as it is named on the wire. */
export const ALGORITHM = "AWS4-HMAC-SHA256";

/** How far a request's clock may be from ours, in milliseconds. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

/** The services whose scopes are accepted unless a caller admits others. */
export const S3_ONLY: ReadonlySet<string> = new Set(["s3"]);

/** The end of every scope. */
export const TERMINAL = "aws4_request";

/** Where and when a signing key is good. */
export interface Scope {
  /** `yyyymmdd` */
  readonly date: string;
  /** As the client wrote it; any is accepted, the empty one too. */
  readonly region: string;
  readonly service: string;
}

/** A well-formed, timely and not yet verified signature. */
export interface SigningClaim {
  readonly form: "header" | "query" | "post";
  readonly accessKeyId: string;
  readonly scope: Scope;
  /** Lower-case names in the client's order. */
  readonly signedHeaders: readonly string[];
  /** As sent: it need not even be hexadecimal. */
  readonly signature: string;
  /** `yyyymmddThhmmssZ`, as it stands in the string to sign. */
  readonly amzDate: string;
  /** The last line of the canonical request. Empty where a service other than S3 leaves it to be computed from the body. */
  readonly payloadHash: string;
  readonly sessionToken: string | undefined;
  /** When a presigned URL ends, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** What a verified claim leaves behind: who signed, and the start of the chain that signed chunks continue. */
export interface VerifiedSignature {
  readonly accessKeyId: string;
  readonly scope: Scope;
  readonly amzDate: string;
  readonly signature: string;
  readonly signingKey: CryptoKey;
}

/** The scope as strings to sign spell it: `20130524/us-east-1/s3/aws4_request`. */
export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${TERMINAL}`;
}

/**
 * Reads `<access key id>/<yyyymmdd>/<region>/<service>/aws4_request`.
 * @param services the services that may stand in the scope
 * @param refusal makes the error of the form that is being read from AWS's sentence
 * @throws what `refusal` makes
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
 * 400 InvalidRequest for SigV2. boto3 and aws-cli 1 presign with it in AWS's own regions, so the message names the
 * settings that make them use SigV4.
 */
export function unsupportedSigV2(): S3Error {
  return new S3Error(
    "InvalidRequest",
    {},
    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. For presigned URLs and forms of boto3 and aws-cli, set the region to auto, or signature_version to s3v4.",
  );
}

/** The refusal of a scope that was made for another day than the request's. */
export function otherDay(scope: Scope, amzDate: string): string | undefined {
  const day = amzDate.slice(0, 8);
  if (scope.date === day) return undefined;
  return `Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date: "${day}".`;
}

/** `2026-01-02T03:04:05Z`: the errors about time give no fractions, unlike the other dates in XML. */
export function formatErrorTime(time: number): string {
  return formatIsoDate(time).replace(/\.\d{3}Z$/, "Z");
}

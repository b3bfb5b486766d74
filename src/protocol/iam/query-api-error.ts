// The errors of the IAM and STS APIs: one class, one table of codes with their status, and the translation of S3's
// errors.
import { S3Error, type S3ErrorCode } from "../core/s3-error.ts";

const STATUSES = {
  AccessDenied: 403,
  ConcurrentModification: 409,
  DeleteConflict: 409,
  EntityAlreadyExists: 409,
  ExpiredToken: 403,
  IncompleteSignature: 400,
  InsufficientStorage: 507,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidInput: 400,
  LimitExceeded: 409,
  MalformedPolicyDocument: 400,
  MalformedQueryString: 404,
  MissingAction: 400,
  MissingAuthenticationToken: 403,
  NoSuchEntity: 404,
  NotImplemented: 501,
  RequestEntityTooLarge: 413,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  ValidationError: 400,
} as const satisfies Record<string, number>;

export type QueryApiErrorCode = keyof typeof STATUSES;

/** An IAM or STS error response. */
export class QueryApiError extends Error {
  readonly code: QueryApiErrorCode;
  /** Seconds after which the client should repeat the call, if the error has them. */
  readonly retryAfter: string | undefined;

  constructor(code: QueryApiErrorCode, message: string, retryAfter?: string) {
    super(message);
    this.name = "QueryApiError";
    this.code = code;
    this.retryAfter = retryAfter;
  }

  get status(): number {
    return STATUSES[this.code];
  }
}

const INVALID_TOKEN = "The security token included in the request is invalid.";

/** IAM's and STS's codes for S3's errors, with a message where S3's own mentions S3. */
const TRANSLATIONS: Partial<Record<S3ErrorCode, readonly [code: QueryApiErrorCode, message?: string]>> = {
  AccessDenied: ["AccessDenied"],
  AuthorizationHeaderMalformed: ["IncompleteSignature"],
  AuthorizationQueryParametersError: ["IncompleteSignature"],
  ExpiredToken: ["ExpiredToken", "The security token included in the request is expired"],
  IncompleteBody: ["ValidationError"],
  InvalidAccessKeyId: ["InvalidClientTokenId", INVALID_TOKEN],
  InvalidToken: ["InvalidClientTokenId", INVALID_TOKEN],
  InvalidURI: ["MalformedQueryString", "The query string contains a syntax error."],
  RequestTimeTooSkewed: ["SignatureDoesNotMatch", "Signature expired: the time of the request is too far from now."],
  SignatureDoesNotMatch: ["SignatureDoesNotMatch"],
};

/** Translates any thrown error. Errors that are neither S3's nor these APIs' are internal failures. */
export function asQueryApiError(error: unknown): QueryApiError {
  if (error instanceof QueryApiError) return error;
  if (error instanceof S3Error && error.status < 500) {
    const [code, message] = TRANSLATIONS[error.code] ?? ["IncompleteSignature"];
    return new QueryApiError(code, message ?? error.message);
  }
  if (error instanceof S3Error && error.code === "InsufficientStorage") {
    return new QueryApiError("InsufficientStorage", error.message);
  }
  if (error instanceof S3Error && error.status === 503) {
    return new QueryApiError("ServiceUnavailable", error.message, error.headers["retry-after"]);
  }
  return new QueryApiError("InternalFailure", "The request processing has failed because of an internal error.");
}

/** 400 ValidationError with IAM's message. */
export function constraintError(member: string, constraint: string): QueryApiError {
  const at = member.charAt(0).toLowerCase() + member.slice(1);
  return new QueryApiError(
    "ValidationError",
    `1 validation error detected: Value at '${at}' failed to satisfy constraint: ${constraint}`,
  );
}

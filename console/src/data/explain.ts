// Explains a failure in one plain sentence, with the action that helps.
import { NetworkFailure, ServiceError, UnreachableKey } from "../clients/failures.ts";
import { t } from "../i18n/language.ts";
import type { TextKey } from "../i18n/en.ts";
import { formatDuration } from "./formats.ts";

export interface Explanation {
  /** One sentence. */
  readonly sentence: string;
  /** The server's own message, if it adds to the sentence. */
  readonly serverMessage: string | undefined;
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  /** The action that helps: retry, sign in again, or open another screen. */
  readonly wayOn: "retry" | "sign-in" | "buckets" | "none";
}

/** Sentences by the error code of S3, IAM or STS, with the action that helps. */
const SENTENCES: Readonly<Record<string, readonly [TextKey, Explanation["wayOn"]]>> = {
  InvalidAccessKeyId: ["error.wrongKey", "sign-in"],
  SignatureDoesNotMatch: ["error.wrongKey", "sign-in"],
  InvalidClientTokenId: ["error.wrongKey", "sign-in"],
  ExpiredToken: ["error.expiredToken", "sign-in"],
  InvalidToken: ["error.invalidToken", "sign-in"],
  AccessDenied: ["error.accessDenied", "none"],
  AllAccessDisabled: ["error.accessDenied", "none"],
  AccountProblem: ["error.accessDenied", "none"],
  NoSuchBucket: ["error.noSuchBucket", "buckets"],
  NoSuchKey: ["error.noSuchKey", "none"],
  NoSuchVersion: ["error.noSuchKey", "none"],
  RequestTimeTooSkewed: ["error.skewed", "retry"],
  BucketNotEmpty: ["error.bucketNotEmpty", "none"],
  BucketAlreadyExists: ["error.bucketExists", "none"],
  BucketAlreadyOwnedByYou: ["error.bucketExists", "none"],
  InvalidBucketName: ["error.invalidBucketName", "none"],
  QuotaExceeded: ["error.quota", "none"],
  NotImplemented: ["error.notImplemented", "none"],
  SlowDown: ["error.slowDown", "retry"],
  ServiceUnavailable: ["error.slowDown", "retry"],
  QueryTooBroad: ["error.queryTooBroad", "none"],
  InternalError: ["error.server", "retry"],
};

/** Codes whose sentence is complete; the server's message would only repeat it. */
const SELF_EXPLANATORY = new Set(["NoSuchBucket", "NoSuchKey", "BucketNotEmpty", "ExpiredToken", "NotFound"]);

/** Explains a failure. */
export function explain(failure: unknown): Explanation {
  if (failure instanceof ServiceError) return explainServiceError(failure);
  const nothing = { serverMessage: undefined, code: undefined, requestId: undefined };
  if (failure instanceof NetworkFailure) return { ...nothing, sentence: t("error.network"), wayOn: "retry" };
  if (failure instanceof UnreachableKey) return { ...nothing, sentence: t("error.unreachableKey"), wayOn: "none" };
  const message = failure instanceof Error ? failure.message : String(failure);
  return { ...nothing, serverMessage: message, sentence: t("error.unknown"), wayOn: "retry" };
}

/** The sentence alone, with the server's own explanation after it. For toasts and fields. */
export function explainInOneLine(failure: unknown): string {
  const { sentence, serverMessage } = explain(failure);
  return serverMessage === undefined ? sentence : `${sentence} ${serverMessage}`;
}

function explainServiceError(failure: ServiceError): Explanation {
  const { code, message, status, requestId, details, skewMs } = failure;
  const [key, wayOn] = SENTENCES[code] ?? (status >= 500 ? (["error.server", "retry"] as const) : [undefined, "none"]);
  const values = { bucket: details.get("BucketName") ?? "", skew: formatDuration(Math.abs(skewMs)) };
  const isMore = message !== "" && !SELF_EXPLANATORY.has(code) && status < 500;
  return {
    sentence: key === undefined ? message || t("error.title") : t(key, values).replaceAll("  ", " "),
    serverMessage: isMore && key !== undefined ? message : undefined,
    code,
    requestId: requestId === "" ? undefined : requestId,
    wayOn,
  };
}

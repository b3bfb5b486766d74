// Preconditions of reads (RFC 9110 as S3 applies it) and of writes. Those of a write are evaluated on the version that
// the request saw, and again on the current version when it commits.
import { parseHttpDate } from "../../bytes/dates.ts";
import { etagListMatches, parseEtagList } from "../core/etag.ts";
import { invalidArgument, S3Error, type ErrorFields, type S3ErrorCode } from "../core/s3-error.ts";
import { requestHeader, type S3Request } from "../core/s3-request.ts";

/** The current version that preconditions are evaluated on; never a delete marker. Times are in milliseconds. */
export interface ConditionSubject {
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  readonly modifiedAt: number;
}

/** The conditions of a GET or HEAD, as sent. */
export interface ReadConditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: number | undefined;
  readonly ifUnmodifiedSince: number | undefined;
}

/** Reads the conditions of a GET or HEAD. An invalid date is ignored, as RFC 9110 requires. */
export function readConditions(request: S3Request): ReadConditions {
  const date = (name: string): number | undefined => {
    const text = request.headers.get(name);
    return text === null ? undefined : parseHttpDate(text);
  };
  return {
    ifMatch: request.headers.get("if-match") ?? undefined,
    ifNoneMatch: request.headers.get("if-none-match") ?? undefined,
    ifModifiedSince: date("if-modified-since"),
    ifUnmodifiedSince: date("if-unmodified-since"),
  };
}

/**
 * Evaluates the conditions of a read in RFC 9110's order, at a precision of one second.
 * @returns whether the answer is 304 Not Modified
 * @throws S3Error PreconditionFailed {Condition}
 */
export function isNotModified(conditions: ReadConditions, etag: string, modifiedAt: number, now: number): boolean {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const modified = Math.floor(modifiedAt / 1000) * 1000;
  if (ifMatch !== undefined) {
    if (!etagListMatches(ifMatch, etag)) throw preconditionFailed("If-Match");
  } else if (ifUnmodifiedSince !== undefined && modified > ifUnmodifiedSince) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  if (ifNoneMatch !== undefined) return etagListMatches(ifNoneMatch, etag);
  return ifModifiedSince !== undefined && ifModifiedSince <= now && modified <= ifModifiedSince;
}

/**
 * Reads a date condition of a write, copy or deletion, in milliseconds since the epoch.
 * @throws S3Error InvalidArgument for an invalid date: ignoring it would make the write unconditional
 */
export function conditionDate(request: S3Request, name: string): number | undefined {
  const text = requestHeader(request, name);
  if (text === undefined) return undefined;
  const time = parseHttpDate(text);
  if (time === undefined) throw invalidArgument(name, text, "The time must be an HTTP date");
  return time;
}

/**
 * Reads a list of ETags that the source of a copy or rename must not have.
 * @throws S3Error InvalidArgument for an invalid list, which every source would satisfy
 */
export function excludedEtags(request: S3Request, name: string): string | undefined {
  const text = requestHeader(request, name);
  if (text === undefined || text.trim() === "*" || parseEtagList(text) !== undefined) return text;
  throw invalidArgument(name, text, "The value must be an ETag, a list of ETags or *");
}

/** 412 that names the failed condition. */
export function preconditionFailed(condition: string): S3Error {
  return new S3Error("PreconditionFailed", { Condition: condition });
}

/** The conditions of a write or deletion on the key's current version. */
export interface WriteConditions {
  /** ETags or `*`: the current version must have one of them. */
  readonly ifMatch?: string | undefined;
  /** There must be no current version. */
  readonly ifNoneMatch?: "*" | undefined;
  /** The current version must have this size, in bytes (deletions). */
  readonly ifMatchSize?: number | undefined;
  /** The current version must have been modified at this time, in milliseconds, to the second (deletions). */
  readonly ifMatchLastModified?: number | undefined;
  /** The current version must have this size, in bytes; 0 also if there is none (appends). */
  readonly writeOffset?: number | undefined;
}

/**
 * Reads `If-Match` and `If-None-Match` of a write.
 * @throws S3Error NotImplemented for both at once or `If-Match: *`, InvalidRequest for `If-None-Match` other than `*`
 */
export function readWriteConditions(request: S3Request): WriteConditions {
  const ifMatch = requestHeader(request, "if-match");
  const ifNoneMatch = requestHeader(request, "if-none-match");
  if (ifMatch !== undefined && ifNoneMatch !== undefined) {
    throw new S3Error(
      "NotImplemented",
      {
        Header: "If-Match,If-None-Match",
        additionalMessage: "Multiple conditional request headers present in the request",
      },
      "A header you provided implies functionality that is not implemented",
    );
  }
  if (ifMatch?.trim() === "*") {
    throw new S3Error(
      "NotImplemented",
      { Header: "If-Match", additionalMessage: "We don't accept the provided value of If-Match header for this API" },
      "A header you provided implies functionality that is not implemented",
    );
  }
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") {
    throw new S3Error("InvalidRequest", {}, "If-None-Match on a write takes only the value *");
  }
  return { ifMatch, ifNoneMatch: ifNoneMatch === undefined ? undefined : "*" };
}

/**
 * Reads the conditions of a DeleteObject.
 * @throws S3Error InvalidArgument for an invalid size or time
 */
export function readDeleteConditions(request: S3Request): WriteConditions {
  const ifMatch = requestHeader(request, "if-match");
  const size = requestHeader(request, "x-amz-if-match-size");
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw invalidArgument("x-amz-if-match-size", size, "The size must be a number of bytes");
  }
  return {
    ifMatch,
    ifMatchSize: size === undefined ? undefined : Number(size),
    ifMatchLastModified: conditionDate(request, "x-amz-if-match-last-modified-time"),
  };
}

/** Whether conditions reveal the current version's ETag, size or time, and not only that it exists. */
export function revealsVersion({ ifMatch, ifMatchSize, ifMatchLastModified }: WriteConditions): boolean {
  const isEtagTested = ifMatch !== undefined && ifMatch.trim() !== "*";
  return isEtagTested || ifMatchSize !== undefined || ifMatchLastModified !== undefined;
}

/** Why a write is refused: plain data, because Durable Object RPC does not preserve error classes. */
export interface WriteRefusal {
  readonly code: S3ErrorCode;
  readonly fields: ErrorFields;
  /** Undefined for the code's usual message. */
  readonly message?: string | undefined;
}

/**
 * Evaluates a write's conditions on the version `seen` when its request began and on the `current` version.
 * A condition that failed from the start is 412 or 404; a later conflict is 409, which the client may retry.
 * @returns the refusal, or undefined if the write may proceed
 */
export function refuseWrite(
  conditions: WriteConditions,
  key: string,
  seen: ConditionSubject | undefined,
  current: ConditionSubject | undefined,
): WriteRefusal | undefined {
  const { writeOffset } = conditions;
  if (writeOffset !== undefined && writeOffset !== (current?.size ?? 0)) {
    return { code: "InvalidWriteOffset", fields: {} };
  }
  const failedAtStart = failedCondition(conditions, seen);
  const failedNow = failedCondition(conditions, current);
  if (failedNow === undefined) return undefined;
  const isAbsent = current === undefined;
  if (failedNow !== "If-None-Match" && isAbsent) return { code: "NoSuchKey", fields: { Key: key } };
  return failedAtStart === undefined
    ? { code: "ConditionalRequestConflict", fields: { Condition: failedNow, Key: key } }
    : { code: "PreconditionFailed", fields: { Condition: failedNow } };
}

/** The version that a deletion names; undefined if it does not exist. */
export type NamedVersion = ConditionSubject | "delete marker" | undefined;

/**
 * Evaluates the conditions of a deletion by version id on that version, which is immutable.
 * @returns the refusal, or undefined if the deletion may proceed
 */
export function refuseVersion(
  conditions: WriteConditions,
  { key, versionId }: { readonly key: string; readonly versionId: string },
  version: NamedVersion,
): WriteRefusal | undefined {
  const failed = failedCondition(conditions, version === "delete marker" ? undefined : version);
  if (failed === undefined) return undefined;
  return version === undefined
    ? { code: "NoSuchVersion", fields: { Key: key, VersionId: versionId } }
    : { code: "PreconditionFailed", fields: { Condition: failed } };
}

function failedCondition(conditions: WriteConditions, subject: ConditionSubject | undefined): string | undefined {
  const { ifMatch, ifNoneMatch, ifMatchSize, ifMatchLastModified } = conditions;
  // A rename may send both; AWS names If-Match if both fail.
  if (ifMatch !== undefined && !etagListMatches(ifMatch, subject?.etag)) return "If-Match";
  if (ifNoneMatch !== undefined && subject !== undefined) return "If-None-Match";
  if (ifMatchSize !== undefined && subject?.size !== ifMatchSize) return "x-amz-if-match-size";
  if (ifMatchLastModified !== undefined) {
    const seconds = subject === undefined ? undefined : Math.floor(subject.modifiedAt / 1000);
    if (seconds !== Math.floor(ifMatchLastModified / 1000)) return "x-amz-if-match-last-modified-time";
  }
  return undefined;
}

// The request of RenameObject: the possible source keys, the destination's conditions, and the idempotency token.
import { checkKey } from "../core/addressing.ts";
import { conditionDate, preconditionFailed, type ConditionSubject, type WriteConditions } from "./conditions.ts";
import { readSourceConditions } from "./copying.ts";
import { invalidArgument, S3Error } from "../core/s3-error.ts";
import { decodeText } from "../core/text-encodings.ts";
import { requestHeader, requestHeadersWithPrefix, type S3Request } from "../core/s3-request.ts";

export interface Rename {
  /** The source header as sent. */
  readonly rawSource: string;
  /** The keys that the source may mean, most likely first; the first that exists is used. */
  readonly candidates: readonly string[];
  readonly conditions: WriteConditions;
  /** Whether the request has conditions on the source. */
  readonly testsSource: boolean;
  /** Milliseconds since the epoch. */
  readonly ifModifiedSince: number | undefined;
  readonly ifUnmodifiedSince: number | undefined;
  readonly token: string | undefined;
  /** All parameter headers, to recognise a repeated request. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

const DESTINATION_HEADERS = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/**
 * Reads the request of a RenameObject.
 * @throws S3Error InvalidArgument, InvalidRequest for keys that end in a slash or an If-None-Match other than `*`
 */
export function readRename(request: S3Request, bucketName: string, key: string): Rename {
  const rawSource = requestHeader(request, "x-amz-rename-source") ?? "";
  const candidates = sourceCandidates(rawSource, bucketName);
  const [first = ""] = candidates;
  if (first === "") {
    throw invalidArgument("x-amz-rename-source", rawSource, "The source of a rename must be a key.");
  }
  for (const candidate of candidates) checkKey(candidate);
  if (key.endsWith("/") || first.endsWith("/")) {
    throw new S3Error("InvalidRequest", {}, "Keys that end in a slash cannot be renamed.");
  }
  const token = requestHeader(request, "x-amz-client-token");
  if (token !== undefined && !/^[!-~]{1,64}$/.test(token)) {
    throw invalidArgument("x-amz-client-token", token, "The client token must be 1 to 64 printable ASCII characters.");
  }
  const onSource = readSourceConditions(request, "x-amz-rename-source-");
  const own = DESTINATION_HEADERS.flatMap((name) => {
    const value = requestHeader(request, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    rawSource,
    candidates,
    conditions: readDestinationConditions(request),
    testsSource: Object.values(onSource).some((condition) => condition !== undefined),
    ifModifiedSince: conditionDate(request, "if-modified-since"),
    ifUnmodifiedSince: conditionDate(request, "if-unmodified-since"),
    token,
    parameters: [...own, ...requestHeadersWithPrefix(request, "x-amz-rename-source-")],
  };
}

/** Unlike other writes, a rename accepts If-Match and If-None-Match together. */
function readDestinationConditions(request: S3Request): WriteConditions {
  const ifMatch = requestHeader(request, "if-match");
  const ifNoneMatch = requestHeader(request, "if-none-match");
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== "*") {
    throw new S3Error("InvalidRequest", {}, "If-None-Match on a write takes only the value *");
  }
  return { ifMatch, ifNoneMatch: ifNoneMatch === undefined ? undefined : "*" };
}

/**
 * The keys that a source may mean: the decoded key, the same without the bucket's name, and the raw key. AWS's API
 * requires encoding, but AWS's SDKs do not encode, and some clients include the bucket's name.
 */
function sourceCandidates(raw: string, bucketName: string): string[] {
  const candidates = [decodeText("renameSource", raw) ?? raw, raw].flatMap((path) => {
    const key = path.replace(/^\//, "");
    const own = `${bucketName}/`;
    return key.startsWith(own) ? [key, key.slice(own.length)] : [key];
  });
  return Array.from(new Set(candidates)).filter((key, index) => key !== "" || index === 0);
}

/**
 * Evaluates the date conditions on the destination. If-Modified-Since requires an existing destination.
 * @throws S3Error PreconditionFailed {Condition}
 */
export function checkDestinationDates(
  { ifModifiedSince, ifUnmodifiedSince }: Rename,
  destination: ConditionSubject | undefined,
): void {
  const modified = destination === undefined ? undefined : Math.floor(destination.modifiedAt / 1000) * 1000;
  if (ifUnmodifiedSince !== undefined && modified !== undefined && modified > ifUnmodifiedSince) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  if (ifModifiedSince !== undefined && (modified === undefined || modified <= ifModifiedSince)) {
    throw preconditionFailed("If-Modified-Since");
  }
}

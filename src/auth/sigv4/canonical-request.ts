// Builds the canonical request of a claim, and the few variants that an honest client may have signed. Proxies change
// requests on their way, and not every client encodes a path as AWS's SDKs do.
import { percentDecode, uriEncode } from "../../bytes/uri-encode.ts";
import type { Query } from "../../protocol/core/query.ts";
import { requestHeader, type S3Request } from "../../protocol/core/s3-request.ts";
import type { SigningClaim } from "./claim.ts";

/** Up to this number of headers, every combination of joins is tried; with more, one header at a time. */
const COMBINED_JOINS_MAX = 3;
const JOINS_MAX = 8;

const ACCEPT_ENCODING = "accept-encoding";

/** Headers that name a key. Their commas belong to the key, so they are never joined values. */
const SINGLE_VALUE_HEADERS: ReadonlySet<string> = new Set(["x-amz-copy-source", "x-amz-rename-source"]);

/**
 * Yields the canonical requests that a claim may have signed, the standard one first. Three things vary: the path's
 * encoding, the joins of repeated headers, and Accept-Encoding. No variant changes all three, so there are at most 64.
 * The host's port, which some clients send and do not sign, is omitted only in variants of the path. Parameters without
 * a value double the number. A signature of the first variant costs nothing more.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function* canonicalRequests(request: S3Request, claim: SigningClaim): Generator<string> {
  for (const query of canonicalQueries(request.query, claim.form)) yield* withQuery(query, request, claim);
}

function* withQuery(query: string, request: S3Request, claim: SigningClaim): Generator<string> {
  const names = claim.signedHeaders;
  const values = names.map((name) => (name === ACCEPT_ENCODING ? "" : canonicalValue(signedValue(request, name))));
  const paths = canonicalPaths(request.rawPath);
  const joins = headerJoins(names.map((name, index) => (SINGLE_VALUE_HEADERS.has(name) ? "" : (values[index] ?? ""))));
  const encodings = names.includes(ACCEPT_ENCODING) ? acceptEncodings(request) : [""];
  for (let deviations = 0; deviations < 3; deviations += 1) {
    for (const [pathIndex, path] of paths.entries()) {
      for (const [joinIndex, join] of joins.entries()) {
        for (const [encodingIndex, encoding] of encodings.entries()) {
          if (Math.sign(pathIndex) + Math.sign(joinIndex) + Math.sign(encodingIndex) !== deviations) continue;
          const lines = names.map((name, index) => {
            if (name === ACCEPT_ENCODING) return `${name}:${encoding}\n`;
            const value = values[index] ?? "";
            return `${name}:${join.has(index) ? value.replaceAll(", ", ",") : value}\n`;
          });
          yield [request.method, path, query, lines.join(""), names.join(";"), claim.payloadHash].join("\n");
        }
      }
    }
  }
  const host = names.indexOf("host");
  const portless = (values[host] ?? "").replace(/:\d+$/, "");
  if (host < 0 || portless === values[host]) return;
  const lines = names.map((name, index) => {
    if (name === ACCEPT_ENCODING) return `${name}:${encodings[0] ?? ""}\n`;
    return `${name}:${index === host ? portless : (values[index] ?? "")}\n`;
  });
  for (const path of paths) {
    yield [request.method, path, query, lines.join(""), names.join(";"), claim.payloadHash].join("\n");
  }
}

/** The signed headers that did not arrive and that no proxy is known to delete. */
export function missingHeaders(request: S3Request, signedHeaders: readonly string[]): string[] {
  return signedHeaders.filter((name) => signedValue(request, name) === undefined && name !== ACCEPT_ENCODING);
}

// NOTE a signed header may arrive in the query of a presigned URL, as some SDKs send SSE headers.
function signedValue(request: S3Request, name: string): string | undefined {
  const value = requestHeader(request, name);
  // Some clients sign the length of an empty body and then omit the header.
  return value ?? (name === "content-length" ? "0" : undefined);
}

// The rules mention only spaces, but AWS's SDKs collapse tabs too.
function canonicalValue(value: string | undefined): string {
  return (value ?? "").trim().replaceAll(/[ \t]+/g, " ");
}

/** The standard query, and the form that older versions of curl sign: parameters without a value have no `=`. */
function canonicalQueries(query: Query, form: SigningClaim["form"]): readonly string[] {
  const strict = canonicalQuery(query, form);
  return form === "header" && /=(?:&|$)/.test(strict) ? [strict, strict.replaceAll(/=(?=&|$)/g, "")] : [strict];
}

function canonicalQuery(query: Query, form: SigningClaim["form"]): string {
  const pairs: (readonly [name: string, value: string])[] = [];
  for (const { name, value } of query.parameters) {
    if (form === "query" && name === "X-Amz-Signature") continue;
    pairs.push([uriEncode(name), uriEncode(value)]);
  }
  // Encoded text is ASCII, for which JavaScript's order is byte order.
  pairs.sort(([leftName, leftValue], [rightName, rightValue]) =>
    leftName === rightName ? compare(leftValue, rightValue) : compare(leftName, rightName),
  );
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The path in the standard encoding, as sent, and in the standard encoding with the client's escaped slashes. */
function canonicalPaths(rawPath: string): readonly string[] {
  const strict = strictPath(rawPath);
  if (!rawPath.includes("%")) return strict === rawPath ? [strict] : [strict, rawPath];
  const keepingEscapedSlashes = rawPath.split(/%2f/i).map(strictPath).join("%2F");
  return [...new Set([strict, rawPath, keepingEscapedSlashes])];
}

function strictPath(raw: string): string {
  const bytes = raw.includes("%") ? percentDecode(raw) : raw;
  return bytes === undefined ? raw : uriEncode(bytes, true);
}

/**
 * The sets of headers whose values to join again, the empty set first. SigV4 joins the values of a repeated header with
 * "," and the runtime with ", ", and a value that contains ", " does not show whether it was joined.
 */
function headerJoins(values: readonly string[]): readonly ReadonlySet<number>[] {
  const joined = values.flatMap((value, index) => (value.includes(", ") ? [index] : []));
  if (joined.length > COMBINED_JOINS_MAX) {
    const singles = joined.slice(0, JOINS_MAX - 2).map((index) => new Set([index]));
    return [new Set<number>(), new Set(joined), ...singles];
  }
  const sets: ReadonlySet<number>[] = [new Set()];
  for (const index of joined) sets.push(...sets.map((set) => new Set([...set, index])));
  return sets;
}

/** The edge replaces the client's Accept-Encoding and reports the original where it can. */
function acceptEncodings(request: S3Request): readonly string[] {
  const raw = request.headers.get(ACCEPT_ENCODING) ?? "";
  return [...new Set([request.clientAcceptEncoding ?? raw, raw, "identity", "gzip", ""].map(canonicalValue))];
}

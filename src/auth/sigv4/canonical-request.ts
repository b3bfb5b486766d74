// The canonical request of a claim, and the few others that an honest client may have signed: what arrives is not
// always what was sent, and not every client encodes a path as AWS's do.
import { percentDecode, uriEncode } from "../../bytes/uri-encode.ts";
import type { Query } from "../../protocol/core/query.ts";
import { requestHeader, type S3Request } from "../../protocol/core/s3-request.ts";
import type { SigningClaim } from "./claim.ts";

/** How many of the signed headers may each be tried with both joins; more are tried one by one. */
const FREE_JOINS = 3;
const JOINS_MAX = 8;

const ACCEPT_ENCODING = "accept-encoding";

/** Headers that name a key, which may hold a comma: another space in one is another object, and no join of two values. */
const OF_ONE_VALUE: ReadonlySet<string> = new Set(["x-amz-copy-source", "x-amz-rename-source"]);

/**
 * Yields the canonical requests that a claim may have signed, the one of the rules first. Three things vary: the
 * path's spelling, the joins of repeated headers, and Accept-Encoding. No candidate departs from the rules in all
 * three, so there are at most 64. The host's port, which some clients send and do not sign, is left off with the
 * spellings of the path alone. There are twice as many candidates where parameters have no value, and a signature of
 * the first costs nothing more.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export function* canonicalRequests(request: S3Request, claim: SigningClaim): Generator<string> {
  for (const query of canonicalQueries(request.query, claim.form)) yield* withQuery(query, request, claim);
}

function* withQuery(query: string, request: S3Request, claim: SigningClaim): Generator<string> {
  const names = claim.signedHeaders;
  const values = names.map((name) => (name === ACCEPT_ENCODING ? "" : canonicalValue(signedValue(request, name))));
  const paths = canonicalPaths(request.rawPath);
  const joins = headerJoins(names.map((name, index) => (OF_ONE_VALUE.has(name) ? "" : (values[index] ?? ""))));
  const encodings = names.includes(ACCEPT_ENCODING) ? acceptEncodings(request) : [""];
  for (let departures = 0; departures < 3; departures += 1) {
    for (const [pathIndex, path] of paths.entries()) {
      for (const [joinIndex, join] of joins.entries()) {
        for (const [encodingIndex, encoding] of encodings.entries()) {
          if (Math.sign(pathIndex) + Math.sign(joinIndex) + Math.sign(encodingIndex) !== departures) continue;
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

/** The signed headers that did not arrive and are not known to be taken away on the way. */
export function missingHeaders(request: S3Request, signedHeaders: readonly string[]): string[] {
  return signedHeaders.filter((name) => signedValue(request, name) === undefined && name !== ACCEPT_ENCODING);
}

// NOTE a header may be listed as signed and yet travel in the query of a presigned URL, as some SDKs send SSE headers.
function signedValue(request: S3Request, name: string): string | undefined {
  const value = requestHeader(request, name);
  // An empty body's length is signed by clients that then leave the header out.
  return value ?? (name === "content-length" ? "0" : undefined);
}

// The rules speak of spaces only, but AWS's SDKs collapse tabs as well.
function canonicalValue(value: string | undefined): string {
  return (value ?? "").trim().replaceAll(/[ \t]+/g, " ");
}

/** The query by the rules; and as older versions of curl sign it, which leave a parameter without a value bare. */
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
  // Encoded text is ASCII, which JavaScript orders as bytes are.
  pairs.sort(([leftName, leftValue], [rightName, rightValue]) =>
    leftName === rightName ? compare(leftValue, rightValue) : compare(leftName, rightName),
  );
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The path encoded by the rules; as it was sent; by the rules but for the slashes that the client had escaped. */
function canonicalPaths(rawPath: string): readonly string[] {
  const strict = strictPath(rawPath);
  const keepingEscapedSlashes = rawPath.split(/%2f/i).map(strictPath).join("%2F");
  return [...new Set([strict, rawPath, keepingEscapedSlashes])];
}

function strictPath(raw: string): string {
  const bytes = percentDecode(raw);
  return bytes === undefined ? raw : uriEncode(bytes, true);
}

/**
 * Which headers' values to rejoin: SigV4 joins the values of a repeated header with "," and the runtime with ", ", and
 * a value that arrives with ", " does not tell whether it was one. The empty set comes first.
 */
function headerJoins(values: readonly string[]): readonly ReadonlySet<number>[] {
  const joined = values.flatMap((value, index) => (value.includes(", ") ? [index] : []));
  if (joined.length > FREE_JOINS) {
    const singles = joined.slice(0, JOINS_MAX - 2).map((index) => new Set([index]));
    return [new Set<number>(), new Set(joined), ...singles];
  }
  const sets: ReadonlySet<number>[] = [new Set()];
  for (const index of joined) sets.push(...sets.map((set) => new Set([...set, index])));
  return sets;
}

/** The edge writes its own Accept-Encoding over the client's, which it tells apart where it can. */
function acceptEncodings(request: S3Request): readonly string[] {
  const raw = request.headers.get(ACCEPT_ENCODING) ?? "";
  return [...new Set([request.clientAcceptEncoding ?? raw, raw, "identity", "gzip", ""].map(canonicalValue))];
}

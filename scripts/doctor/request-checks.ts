// Signed requests that show what is changed between a client and the Worker: paths, headers, bodies and answers. All of it
// happens below one prefix of one bucket, and is deleted afterwards.
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { bad, good, skipped, warning, type Finding } from "./findings.ts";
import { checkHtml, checkPosts, checkQuery, checkRanges } from "./passing-checks.ts";
import { codeOf, describe, get, hasBytes, isHtml, isStored, put, target, type Place } from "./place.ts";
import type { WireAnswer } from "./wire.ts";

const NORMALIZATION =
  "In the zone's Rules > Settings > Normalization, set incoming URLs to RFC-3986 or off, or use the workers.dev address: keys with such paths cannot be reached.";
const COMPRESSION =
  "A proxy compresses answers: turn compression off for this host (Cloudflare: a compression rule), or honour Cache-Control: no-transform.";

/** Runs all checks that write; what cannot be checked because a basic one fails is skipped. */
export async function checkRequests(place: Place): Promise<Finding[]> {
  const permission = await checkPermissions(place);
  if (permission.level === "bad") return [permission, skipped("requests", "nothing more could be tried")];
  const findings = [permission];
  const checks: readonly [string, (place: Place) => Promise<Finding>][] = [
    ["paths", checkPaths],
    ["query", checkQuery],
    ["accept-encoding", checkAcceptEncoding],
    ["header names", checkHeaderNames],
    ["compression", checkCompression],
    ["stored gzip", checkStoredGzip],
    ["html", checkHtml],
    ["ranges", checkRanges],
    ["etag", checkConditions],
    ["head", checkHead],
    ["cache", checkCache],
    ["posts", checkPosts],
    ["expect", checkExpect],
    ["user agents", checkUserAgents],
    ["body size", checkBodySize],
  ];
  for (const [name, check] of checks) {
    findings.push(
      await check(place).catch((error: unknown) =>
        bad(
          name,
          `no answer: ${error instanceof Error ? error.message : String(error)}`,
          "Look at what is between this machine and the Worker, and at the Worker's log.",
        ),
      ),
    );
  }
  return findings;
}

/** Deletes what the checks have stored. */
export async function cleanUp({ wire, bucket, prefix }: Place): Promise<void> {
  const listed = await wire.send({
    method: "GET",
    target: `/${bucket}?list-type=2&encoding-type=url&prefix=${encodeURIComponent(prefix)}`,
  });
  for (const [, encoded = ""] of listed.body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) {
    // Others write a space as a plus there.
    const key = decodeURIComponent(encoded.replaceAll("+", "%20"));
    await wire.send({ method: "DELETE", target: `/${bucket}/${key.split("/").map(encodeURIComponent).join("/")}` });
  }
}

async function checkPermissions(place: Place): Promise<Finding> {
  const check = "permissions";
  const body = Buffer.from("doctor");
  const { wire, bucket } = place;
  const written = await put(place, "probe", body);
  const read = await get(place, "probe");
  const listed = await wire.send({ method: "GET", target: `/${bucket}?list-type=2&max-keys=1` });
  const deleted = await wire.send({ method: "DELETE", target: target(place, "probe") });
  const steps: readonly (readonly [action: string, answer: WireAnswer, isRight: boolean])[] = [
    ["PutObject", written, isStored(written)],
    ["GetObject", read, hasBytes(read, body)],
    ["ListBucket", listed, listed.status === 200 && listed.body.includes("<ListBucketResult")],
    ["DeleteObject", deleted, deleted.status === 204],
  ];
  const [action, failed] = steps.find(([, , isRight]) => !isRight) ?? [];
  if (failed === undefined) return good(check, `the credentials may write, read, list and delete in ${bucket}`);
  const code = codeOf(failed);
  const remedies: Readonly<Record<string, string>> = {
    NoSuchBucket: "Name a bucket that is there with --bucket.",
    InvalidAccessKeyId: "The endpoint does not know this access key: are these the credentials of this Cairn?",
    RequestTimeTooSkewed: "Set this machine's clock (NTP).",
    SignatureDoesNotMatch:
      "The secret is wrong, or something changes signed headers or the host on the way: try the workers.dev address.",
    AccessDenied: `Allow s3:${action} on this bucket to these credentials (docs/access.md).`,
  };
  const page =
    "Something before the Worker answers in its place: turn Bot Fight Mode and Browser Integrity Check off for this host, or add a rule that skips them.";
  return bad(
    check,
    `${action} is answered ${describe(failed)}`,
    isHtml(failed) ? page : (remedies[code] ?? "Look at the Worker's log (npx wrangler tail)."),
  );
}

/** Traps 2 and 3: paths that URL normalisation changes. */
async function checkPaths(place: Place): Promise<Finding> {
  const keys = ["a//b", "a/./b", "a/../b", "%7E", "a%2Fb", "a%5Cb", "a+b", "a%2Bb"];
  const changed: string[] = [];
  for (const key of keys) {
    const body = Buffer.from(key);
    const stored = await put(place, key, body);
    const read = stored.status === 200 ? await get(place, key) : stored;
    if (read.status !== 200 || !read.body.equals(body)) changed.push(`${key} (${describe(read)})`);
  }
  if (changed.length === 0) return good("paths", "paths arrive as they are sent");
  return bad("paths", `paths are changed on the way: ${changed.join(", ")}`, NORMALIZATION);
}

/** Trap 1: clients that sign Accept-Encoding. */
async function checkAcceptEncoding(place: Place): Promise<Finding> {
  const body = Buffer.from("encoding");
  await put(place, "encoding", body);
  const remedy =
    'A proxy rewrites Accept-Encoding, which rclone and Go clients sign: leave it alone there, or set EDGE = "cloudflare" if the proxy is Cloudflare.';
  // Cairn tries the first two itself where the header was changed; other values are what few clients sign.
  for (const encoding of ["identity", "gzip", "gzip, deflate"]) {
    const answer = await get(place, "encoding", { "accept-encoding": encoding });
    if (hasBytes(answer, body)) continue;
    const found = `a signed "Accept-Encoding: ${encoding}" is answered ${describe(answer)}`;
    return encoding === "gzip, deflate"
      ? warning("accept-encoding", found, remedy)
      : bad("accept-encoding", found, remedy);
  }
  return good("accept-encoding", "a signed Accept-Encoding is verified");
}

/** Traps 5 and 6: headers that are dropped or changed. */
async function checkHeaderNames(place: Place): Promise<Finding> {
  const names = { "x-amz-meta-plain": "1", "x-amz-meta-a.b": "2", "x-amz-meta-a_b": "3" };
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(names)) {
    const stored = await put(place, "headers", Buffer.from("headers"), { [name]: value });
    const read = stored.status === 200 ? await get(place, "headers", {}, "HEAD") : undefined;
    if (read?.headers[name] !== value) dropped.push(name);
  }
  if (dropped.length === 0) return good("header names", "metadata arrives under every name");
  return warning(
    "header names",
    `headers are dropped or changed on the way: ${dropped.join(", ")}`,
    "Use metadata names of letters, digits and hyphens, or let the proxy pass names with dots and underscores.",
  );
}

/** Trap 9: answers that are compressed lose their length. */
async function checkCompression(place: Place): Promise<Finding> {
  const body = Buffer.from("compress me, I am text. ".repeat(400));
  for (const type of ["text/plain", "application/json"]) {
    await put(place, "text", body, { "content-type": type });
    for (const encoding of ["gzip", "br", "zstd"]) {
      const { headers, body: read } = await get(place, "text", { "accept-encoding": encoding });
      if (
        headers["content-encoding"] === undefined &&
        headers["content-length"] === String(body.length) &&
        read.equals(body)
      )
        continue;
      const found =
        headers["content-encoding"] === undefined
          ? "without their Content-Length, or with other bytes"
          : `as ${headers["content-encoding"]}`;
      return bad("compression", `objects of ${type} arrive ${found}`, COMPRESSION);
    }
  }
  return good("compression", "objects arrive uncompressed and with their length");
}

/** Trap 8: what is stored compressed arrives as it was stored. */
async function checkStoredGzip(place: Place): Promise<Finding> {
  const bytes = gzipSync("stored as gzip ".repeat(100));
  await put(place, "gzip", bytes, { "content-encoding": "gzip", "content-type": "text/plain" });
  for (const encoding of ["gzip", "identity"]) {
    const { body, headers } = await get(place, "gzip", { "accept-encoding": encoding });
    if (body.equals(bytes) && headers["content-encoding"] === "gzip") continue;
    return bad("stored gzip", "objects that are stored with Content-Encoding: gzip arrive changed", COMPRESSION);
  }
  return good("stored gzip", "objects that are stored compressed arrive as they are");
}

/** Trap 11: ETags that are weakened or removed. */
async function checkConditions(place: Place): Promise<Finding> {
  const body = Buffer.from("etag ".repeat(500));
  const stored = await put(place, "etag", body, { "content-type": "text/plain" });
  const read = await get(place, "etag", { "accept-encoding": "gzip" });
  const [sent, received] = [stored.headers.etag, read.headers.etag];
  if (sent === undefined || received !== sent) {
    return bad(
      "etag",
      `ETags are changed on the way: ${sent} is read as ${received}`,
      `Turn off what rewrites ETags (strong ETags must be respected). ${COMPRESSION}`,
    );
  }
  const { status } = await get(place, "etag", { "if-none-match": sent });
  if (status === 304) return good("etag", "ETags and conditions arrive as they are");
  return bad(
    "etag",
    `If-None-Match is answered ${status} instead of 304`,
    "Something answers or drops conditional requests before the Worker: turn caching off for this host.",
  );
}

/** Trap 12: HEAD of names that caches take for static files. */
async function checkHead(place: Place): Promise<Finding> {
  const body = Buffer.alloc(1234, "h");
  for (const key of ["head", "head.dmg", "head.js"]) {
    await put(place, key, body);
    const { status, headers } = await get(place, key, {}, "HEAD");
    if (status === 200 && headers["content-length"] === String(body.length)) continue;
    return bad(
      "head",
      `HEAD of ${key} is answered ${status} with a length of ${headers["content-length"] ?? "nothing"} instead of ${body.length}`,
      "Turn caching and compression off for this host; over HTTP/3, try HTTP/2.",
    );
  }
  return good("head", "HEAD answers the length");
}

/** A cache that answers in the Worker's place shows old bytes, and shows them to people who may not see them. */
async function checkCache(place: Place): Promise<Finding> {
  const remedy = "Turn caching off for this host (Cloudflare: a cache rule that bypasses it).";
  for (const key of ["cache", "cache.js"]) {
    for (const text of ["first", "second"]) {
      await put(place, key, Buffer.from(text), { "cache-control": "public, max-age=3600" });
      const read = await get(place, key);
      if (read.body.toString() !== text) return bad("cache", `after a write of ${key}, old bytes are read`, remedy);
    }
    const anonymous = await place.wire.send({ method: "GET", target: target(place, key), isUnsigned: true });
    if (anonymous.status === 200)
      return warning(
        "cache",
        "objects are read without a signature",
        `Either the bucket is public, or a cache answers. ${remedy}`,
      );
  }
  return good("cache", "each read sees the latest write, and takes a signature");
}

/** Trap 14. */
async function checkExpect(place: Place): Promise<Finding> {
  const body = Buffer.from("expected");
  const answer = await place.wire.send({ method: "PUT", target: target(place, "expect"), body, expectsContinue: true });
  if (answer.wasContinued && isStored(answer)) return good("expect", "Expect: 100-continue is answered");
  return bad(
    "expect",
    `a PUT with Expect: 100-continue is answered ${describe(answer)}`,
    "The proxy must answer or pass on Expect: 100-continue, which aws-cli and the SDKs send.",
  );
}

/** Trap 15: agents that a bot check refuses. */
async function checkUserAgents(place: Place): Promise<Finding> {
  const body = Buffer.from("agent");
  await put(place, "agent", body);
  const agents = [
    "Boto3/1.40 Python/3.12",
    "aws-sdk-java/2.33",
    "rclone/v1.71",
    "aws-cli/2.30",
    "Go-http-client/2.0",
    "curl/8.0",
  ];
  const refused: string[] = [];
  for (const agent of agents) {
    const answer = await get(place, "agent", { "user-agent": agent });
    if (!hasBytes(answer, body)) refused.push(`${agent} (${describe(answer)})`);
  }
  if (refused.length === 0) return good("user agents", "no client is refused for its name");
  return bad(
    "user agents",
    `clients are refused for their names: ${refused.join(", ")}`,
    "Turn Bot Fight Mode and Browser Integrity Check off for this host, or add a rule that skips them for it.",
  );
}

/** Trap 7: the largest body that the plan lets through. */
async function checkBodySize(place: Place): Promise<Finding> {
  const sizes = [8, 20, 95, 190, 480].map((megabytes) => megabytes * 1_000_000).filter((size) => size <= place.largest);
  let passed = 0;
  for (const size of sizes) {
    const answer = await put(place, "large", randomBytes(size)).catch(() => undefined);
    if (answer === undefined || !isStored(answer)) {
      const found = `a body of ${size / 1_000_000} MB is answered ${answer === undefined ? "by a closed connection" : describe(answer)}; ${passed / 1_000_000} MB pass`;
      const remedy =
        "Cloudflare takes 100 MB a request on Free and Pro, 200 MB on Business: have clients upload in parts below that.";
      return passed < 90_000_000
        ? bad("body size", found, `${remedy} Something before the Worker takes even less.`)
        : warning("body size", found, remedy);
    }
    passed = size;
  }
  return sizes.length === 0
    ? skipped("body size", "--largest is below 8 MB")
    : good("body size", `a body of ${passed / 1_000_000} MB passes; larger ones were not tried`);
}

// Inputs of maximum length that are designed to be slow to parse. Every header, query, path and policy is answered at
// once; quadratic parsing would take seconds here.
import { beforeAll, describe, expect, it } from "vitest";

import { anonymous, deliver, ENDPOINT, send, signed } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { expectSoon } from "../support/quick.ts";
import { versionedBucket } from "../support/versioning.ts";

const LENGTH = 100_000;
const AT_ONCE_MS = 1000;

let bucket: string;
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, { k: "text" });
  // A caller with all rights reaches every parser.
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const text = policyText({ Effect: "Allow", Principal: "*", Action: "s3:*", Resource });
  expect((await putPolicy(bucket, text)).status).toBe(204);
});

/** Units whose repetition causes backtracking: spaces, separators, unclosed brackets. */
const UNITS = [
  " ",
  "\t",
  ",",
  ";",
  "=",
  "/",
  "%",
  "%20",
  "a",
  "a,",
  "a, ",
  "a=b&",
  '"',
  '\\"',
  "0",
  "0-0,",
  "bytes=",
  "W/",
  ". ",
  "(",
  "<",
  "${",
];

/** Texts of full length whose beginning and end prevent an early match. */
function textsOf(start: string): string[] {
  return UNITS.map((unit) => `${start}${unit.repeat(Math.floor(LENGTH / unit.length))}!`);
}

async function expectAtOnce(what: string, request: Request): Promise<void> {
  const answer = async (): Promise<void> => {
    const response = await deliver(request.clone());
    await response.arrayBuffer();
    expect([500, 503], what).not.toContain(response.status);
  };
  await expectSoon(what, answer, AT_ONCE_MS);
}

/** Headers by the method that parses them, with a valid beginning of each. */
const HEADERS: readonly (readonly [method: string, query: string, name: string, start: string])[] = [
  ["GET", "", "range", "bytes=0"],
  ["GET", "", "range", "bytes="],
  ["GET", "", "if-match", '"'],
  ["GET", "", "if-none-match", "W/"],
  ["GET", "", "if-modified-since", "Fri, 02 Jan 2026 "],
  ["GET", "", "if-range", '"'],
  ["GET", "", "accept-encoding", "gzip"],
  ["GET", "", "origin", "https://"],
  ["GET", "?attributes", "x-amz-object-attributes", "ETag,"],
  ["GET", "", "x-amz-expected-bucket-owner", "0"],
  ["GET", "", "x-amz-server-side-encryption-customer-key", "A"],
  ["PUT", "", "x-amz-tagging", "a=b"],
  ["PUT", "", "x-amz-copy-source", "/b/k"],
  ["PUT", "", "x-amz-copy-source", "arn:aws:s3:"],
  ["PUT", "", "x-amz-rename-source", "/b/k"],
  ["PUT", "", "x-amz-grant-read", 'id="'],
  ["PUT", "", "content-md5", "A"],
  ["PUT", "", "content-encoding", "aws-chunked"],
  ["PUT", "", "content-type", "text/plain"],
  ["PUT", "", "expires", "Fri, 02 Jan 2026 "],
  ["PUT", "", "if-match", '"'],
  ["PUT", "", "x-amz-meta-a", "=?UTF-8?Q?"],
  ["PUT", "", "x-amz-checksum-crc32", "A"],
  ["PUT", "", "x-amz-storage-class", "S"],
  ["PUT", "", "x-amz-website-redirect-location", "http://"],
  ["PUT", "", "x-amz-trailer", "x-amz-checksum-crc32"],
  ["PUT", "", "x-amz-client-token", "a"],
];

describe(`${LENGTH} characters are parsed at once`, () => {
  it.each(HEADERS)("of %s%s with %s: %s…", async (method, query, name, start) => {
    for (const text of textsOf(start)) {
      await expectAtOnce(
        text.slice(0, 20),
        await signed(method, `/${bucket}/k${query}`, { headers: { [name]: text } }),
      );
    }
  });

  it.each([
    ["authorization", "AWS4-HMAC-SHA256 Credential=a/20260102/us-east-1/s3/aws4_request, SignedHeaders=host"],
    ["authorization", "AWS4-HMAC-SHA256 Credential="],
    ["authorization", "AWS4-HMAC-SHA256 SignedHeaders="],
    ["authorization", "AWS "],
    ["authorization", "Bearer Credential="],
    ["x-amz-date", "20260102T"],
    ["date", "Fri, 02 Jan 2026 "],
    ["x-amz-content-sha256", "STREAMING-"],
    ["x-amz-security-token", "1."],
    ["host", "b.s3.example.com"],
    ["x-amz-decoded-content-length", "1"],
  ])("of what is not yet signed: %s: %s…", async (name, start) => {
    for (const text of textsOf(start)) {
      const request = await signed("GET", `/${bucket}/k`);
      const headers = new Headers(request.headers);
      headers.set("host", new URL(ENDPOINT).host);
      headers.set(name, text);
      await expectAtOnce(text.slice(0, 20), new Request(request.url, { headers }));
    }
  });

  it.each([
    ["multipart/form-data", "content-type"],
    ["multipart/form-data; boundary=", "content-type"],
    ['multipart/form-data; boundary="', "content-type"],
    ["multipart/form-data; a=b;", "content-type"],
  ])("of a form's %s…", async (start, name) => {
    for (const text of textsOf(start)) {
      const request = anonymous("POST", `/${bucket}`, { body: "--x\r\n", headers: { [name]: text } });
      await expectAtOnce(text.slice(0, 60), request);
    }
  });

  it.each(["origin", "access-control-request-method", "access-control-request-headers"])(
    "of a preflight's %s",
    async (name) => {
      for (const text of textsOf("a")) {
        const headers = { origin: "https://a.example", "access-control-request-method": "GET", [name]: text };
        await expectAtOnce(text.slice(0, 20), anonymous("OPTIONS", `/${bucket}/k`, { headers }));
      }
    },
  );

  it.each([
    "prefix",
    "delimiter",
    "marker",
    "versionId",
    "uploadId",
    "continuation-token",
    "max-keys",
    "X-Amz-Credential",
    "a",
  ])("of a query's %s", async (name) => {
    for (const text of textsOf("a")) {
      for (const target of [`/${bucket}`, `/${bucket}/k`, `/${bucket}?list-type=2`, `/${bucket}?versions`]) {
        const url = `${target}${target.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(text)}`;
        await expectAtOnce(text.slice(0, 20), anonymous("GET", url));
      }
    }
    const many = Array.from({ length: 3000 }, (_, index) => `${name}${index}=${index}`).join("&");
    await expectAtOnce("3000 parameters", await signed("GET", `/${bucket}/k?${many}`));
  });

  it("of a path", async () => {
    for (const unit of ["/", "a/", "%2F", "%252F", "../", "./", "%", "%C3", "a"]) {
      for (const target of [`/${bucket}/${unit.repeat(20_000)}`, `/${unit.repeat(20_000)}`]) {
        await expectAtOnce(unit, anonymous("GET", target));
      }
    }
  });

  it("in 3000 headers", async () => {
    const headers = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`x-amz-meta-${index}`, "a, b"]));
    await expectAtOnce("headers", await signed("PUT", `/${bucket}/many`, { body: "x", headers }));
  });
});

describe("a policy designed to be slow", () => {
  it.each([
    ["many wildcards", "*a".repeat(4500)],
    ["many single characters", "?".repeat(9000)],
    ["both", "*?".repeat(4500)],
    ["a wildcard before each of the same letters", `${"*aaaa".repeat(1500)}b`],
  ])("with %s is rejected or evaluated in bounded time, with a key of maximum length", async (_what, pattern) => {
    const open = await freshBucket();
    const Resource = `arn:aws:s3:::${open}/${pattern}`;
    const text = policyText({ Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource });
    expect([204, 400]).toContain((await putPolicy(open, text)).status);
    for (const key of ["a".repeat(1024), "aaab".repeat(256), `${"a".repeat(1023)}b`]) {
      await expectAtOnce(pattern.slice(0, 10), anonymous("GET", `/${open}/${key}`));
    }
  });

  it("with many statements and values is evaluated in bounded time", async () => {
    const open = await versionedBucket();
    const values = Array.from({ length: 300 }, (_, index) => `*${index}*a*`);
    const text = policyText({
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${open}/*`,
      Condition: { StringLike: { "aws:UserAgent": values, "aws:Referer": values } },
    });
    expect((await putPolicy(open, text)).status).toBe(204);
    const headers = { "user-agent": "a".repeat(50_000), referer: "1a".repeat(25_000) };
    await expectAtOnce("agents", anonymous("GET", `/${open}/k`, { headers }));
  });
});

describe("ranges", () => {
  it("in any number return at most the object", async () => {
    const whole = "text".repeat(1000);
    await putAll(bucket, { ranged: whole });
    const ranges = Array.from({ length: 2000 }, (_, index) => `${index}-`);
    for (const range of [
      `bytes=${ranges.join(",")}`,
      `bytes=${"0-3999,".repeat(2000)}0-1`,
      `bytes=0-,${"-1,".repeat(2000)}0-`,
    ]) {
      const response = await send("GET", `/${bucket}/ranged`, { headers: { range } });
      expect([200, 416]).toContain(response.status);
      expect((await response.bytes()).length).toBeLessThanOrEqual(whole.length);
    }
  });
});

// curl with --aws-sigv4: what a shell script does, without any SDK. It neither hashes the payload nor retries.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Curl, curlFor, type RunCurl } from "./curl-command.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { type Body, hashBytes } from "./hashes.ts";
import { LISTING_BUCKET } from "./listing-fixture.ts";
import { bodyOfKey, encodeKey, ODD_KEYS } from "./odd-keys.ts";
import { DOMAIN, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

interface CurlTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly bucket: string;
  readonly folder: string;
  /** The URL of the bucket, without a slash at its end. */
  readonly place: string;
  readonly anonymous: RunCurl;
  /** Signed, with UNSIGNED-PAYLOAD. */
  readonly signed: RunCurl;
}

const RIVALS = 10;
const COPIED = "x-amz-copy-source-server-side-encryption-customer";

/** curl's checks at one endpoint. */
export function curl(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "curl");
  const bucket = newBucketName("curl");
  const anonymous = curlFor(site, folder);
  const { accessKeyId, secretAccessKey } = site.credentials;
  const identity = ["--aws-sigv4", `aws:amz:${site.region}:s3`, "--user", `${accessKeyId}:${secretAccessKey}`];
  const signed: RunCurl = (url, ...options) =>
    anonymous(url, ...identity, "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", ...options);
  const tools = { site, endpoint, bucket, folder, place: `${endpoint.url}/${bucket}`, anonymous, signed };
  const bodies = [...site.bodies, site.large];
  const always = [
    lifeCheck(tools),
    ...bodies.map((body) => bodyCheck(tools, body)),
    // curl 7.88 sends no last chunk of an empty file.
    ...bodies.filter(({ size }) => size > 0).map((body) => chunkedCheck(tools, body)),
  ];
  if (endpoint.scheme === "https") return suiteOf("curl (https)", [...always, hostedCheck(tools)]);
  return suiteOf("curl (http)", [
    ...always,
    hostedCheck(tools),
    oddKeysCheck(tools),
    encodingCheck(tools),
    conditionCheck(tools),
    encryptionCheck(tools),
    raceCheck(tools),
    renameCheck(tools),
    listingCheck(tools),
    refusalCheck(tools),
  ]);
}

function lifeCheck({ place, signed, folder }: CurlTools): Check {
  return {
    name: "CreateBucket, then PUT, GET, HEAD and DELETE of an object succeed",
    async run() {
      const file = join(folder, "life");
      writeFileSync(file, "0123456789");
      assertStatus(await signed(place, "--request", "PUT"), 200);
      assertStatus(await signed(`${place}/life`, "--upload-file", file, "-H", "Content-Type: text/plain"), 200);
      const got = await signed(`${place}/life`);
      assert.equal(got.body, "0123456789");
      assert.equal(got.headers.get("content-type"), "text/plain");
      assert.equal((await signed(`${place}/life`, "--range", "3-5")).body, "345");
      const head = await signed(`${place}/life`, "--head");
      assert.equal(head.headers.get("content-length"), "10");
      assert.equal(head.headers.get("accept-ranges"), "bytes");
      assertStatus(await signed(`${place}/life`, "--request", "DELETE"), 204);
      assertStatus(await signed(`${place}/life`), 404);
    },
  };
}

function bodyCheck({ place, signed }: CurlTools, body: Body): Check {
  return {
    name: `a file of ${body.label} is returned unchanged, and its ETag is its MD5`,
    async run() {
      const put = await signed(`${place}/body`, "--upload-file", body.file);
      assertStatus(put, 200);
      assert.equal(put.headers.get("etag"), `"${body.md5}"`);
      const got = await signed(`${place}/body`);
      assert.equal(got.headers.get("content-length"), String(body.size));
      assert.equal(got.sha256, body.sha256);
    },
  };
}

function chunkedCheck({ place, signed }: CurlTools, body: Body): Check {
  return {
    name: `${body.label} without a length are stored, and their ETag is their MD5`,
    async run() {
      // As from a pipe: curl announces no length.
      const put = await signed(`${place}/chunked`, "--upload-file", body.file, "-H", "Transfer-Encoding: chunked");
      assertStatus(put, 200);
      assert.equal(put.headers.get("etag"), `"${body.md5}"`);
      const got = await signed(`${place}/chunked`);
      assert.equal(got.headers.get("content-length"), String(body.size));
      assert.equal(got.sha256, body.sha256);
    },
  };
}

function hostedCheck({ endpoint, bucket, site, signed }: CurlTools): Check {
  return {
    name: "virtual-hosted and path style address the same bucket",
    async run() {
      const { port } = new URL(endpoint.url);
      const host = `${bucket}.${DOMAIN}`;
      const resolve = ["--resolve", `${host}:${port}:127.0.0.1`];
      const url = `${endpoint.scheme}://${host}:${port}`;
      assertStatus(await signed(`${url}/hosted/k%20ey`, ...resolve, "--upload-file", site.mebibyte.file), 200);
      assert.equal((await signed(`${endpoint.url}/${bucket}/hosted/k%20ey`)).sha256, site.mebibyte.sha256);
      const listed = await signed(`${url}/?list-type=2&prefix=hosted%2F`, ...resolve);
      assert.match(listed.body, /<Key>hosted\/k ey<\/Key>/);
      assertStatus(await signed(`${url}/hosted/k%20ey`, ...resolve, "--request", "DELETE"), 204);
    },
  };
}

function oddKeysCheck({ place, signed, folder }: CurlTools): Check {
  return {
    name: "every odd key, percent-encoded, addresses one object in PUT, GET and DELETE",
    async run() {
      const file = join(folder, "odd");
      for (const key of ODD_KEYS) {
        writeFileSync(file, bodyOfKey(key));
        // Not --upload-file, which adds the file's name to a URL that ends with a slash.
        const put = await signed(`${place}/${encodeKey(key)}`, "--request", "PUT", "--data-binary", `@${file}`);
        assertStatus(put, 200, key);
      }
      for (const key of ODD_KEYS) {
        assert.equal((await signed(`${place}/${encodeKey(key)}`)).body, bodyOfKey(key));
        assertStatus(await signed(`${place}/${encodeKey(key)}`, "--request", "DELETE"), 204, key);
      }
    },
  };
}

function encodingCheck({ place, signed, folder }: CurlTools): Check {
  return {
    name: "a client that accepts compression gets text with its stored bytes and length",
    async run() {
      const text = "compressible ".repeat(10_000);
      const file = join(folder, "text");
      writeFileSync(file, text);
      for (const type of ["text/plain", "application/json", "text/html"]) {
        assertStatus(await signed(`${place}/text`, "--upload-file", file, "-H", `Content-Type: ${type}`), 200);
        const got = await signed(`${place}/text`, "--compressed");
        assert.equal(got.body, text);
        assert.equal(got.headers.get("content-length"), String(text.length));
        assert.equal(got.headers.get("content-encoding"), undefined);
      }
    },
  };
}

function conditionCheck({ place, signed, site }: CurlTools): Check {
  return {
    name: "304 comes without a body and with the ETag, Content-MD5 is verified",
    async run() {
      const { file, md5, size } = site.mebibyte;
      const base64 = Buffer.from(md5, "hex").toString("base64");
      const url = `${place}/conditional`;
      assertStatus(await signed(url, "--upload-file", file, "-H", `Content-MD5: ${base64}`), 200);
      const unchanged = await signed(url, "-H", `If-None-Match: "${md5}"`);
      assertStatus(unchanged, 304);
      assert.equal(unchanged.headers.get("etag"), `"${md5}"`);
      assertStatus(await signed(url, "-H", 'If-Match: "no"'), 412);
      const wrong = await signed(`${url}-2`, "--upload-file", file, "-H", "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==");
      assert.match(wrong.body, /<Code>BadDigest<\/Code>/);
      assertStatus(await signed(`${url}-2`), 404);
      const past = await signed(url, "--range", `${size}-`);
      assertStatus(past, 416);
      assert.equal(past.headers.get("content-range"), `bytes */${size}`);
    },
  };
}

function encryptionCheck({ place, bucket, signed, site }: CurlTools): Check {
  return {
    name: "SSE-C headers encrypt an object; the same headers read it and copy it",
    async run() {
      const [key, other] = [randomBytes(32), randomBytes(32)];
      const put = await signed(`${place}/sealed`, "--upload-file", site.mebibyte.file, ...bring(key));
      assertStatus(put, 200);
      assert.equal(put.headers.get("x-amz-server-side-encryption-customer-algorithm"), "AES256");
      assert.ok(put.headers.has("x-amz-server-side-encryption-customer-key-md5"));
      assert.equal((await signed(`${place}/sealed`, ...bring(key))).sha256, site.mebibyte.sha256);
      const bare = await signed(`${place}/sealed`);
      assertStatus(bare, 400);
      assert.match(bare.body, /<Code>InvalidRequest<\/Code>/);
      assertStatus(await signed(`${place}/sealed`, "--head"), 400);
      const source = ["-H", `x-amz-copy-source: /${bucket}/sealed`, ...bring(key, COPIED)];
      assertStatus(await signed(`${place}/resealed`, "--request", "PUT", ...source, ...bring(other)), 200);
      assert.equal((await signed(`${place}/resealed`, ...bring(other))).sha256, site.mebibyte.sha256);
      assertStatus(await signed(`${place}/resealed`, ...bring(key)), 403);
    },
  };
}

function raceCheck({ place, signed, folder }: CurlTools): Check {
  return {
    name: "one of 10 concurrent slow PUTs with If-None-Match: * succeeds, and a 409 becomes 412 on a retry",
    async run() {
      const file = join(folder, "slow");
      writeFileSync(file, "s".repeat(400_000));
      const attempt = () => signed(`${place}/slow`, "--upload-file", file, "-H", "If-None-Match: *");
      const slowly = () =>
        signed(`${place}/slow`, "--upload-file", file, "-H", "If-None-Match: *", "--limit-rate", "250000");
      const statuses = await Promise.all(Array.from({ length: RIVALS }, async () => (await slowly()).status));
      const count = (status: number) => statuses.filter((other) => other === status).length;
      assert.equal(count(200), 1, statuses.join(" "));
      assert.equal(count(200) + count(409) + count(412), RIVALS, statuses.join(" "));
      assert.ok(count(409) > 0, `they did not overlap: ${statuses.join(" ")}`);
      assertStatus(await attempt(), 412);
    },
  };
}

function renameCheck({ place, bucket, signed, site }: CurlTools): Check {
  return {
    name: "x-amz-rename-source renames an object, also over an existing one, and preserves its ETag, time and metadata",
    async run() {
      const described = ["-H", "Content-Type: text/x-named", "-H", "x-amz-meta-color: blue"];
      const rename = (from: string, to: string) =>
        signed(`${place}/${to}`, "--request", "PUT", "-H", `x-amz-rename-source: /${bucket}/${from}`);
      const headersOf = async (key: string) => {
        const { status, headers } = await signed(`${place}/${key}`, "--head");
        assert.equal(status, 200);
        const names = ["etag", "last-modified", "content-type", "content-length", "x-amz-meta-color"];
        return names.map((name) => headers.get(name));
      };
      assertStatus(await signed(`${place}/old%20name`, "--upload-file", site.mebibyte.file, ...described), 200);
      const before = await headersOf("old%20name");
      assert.equal(before[0], `"${site.mebibyte.md5}"`);
      assertStatus(await signed(`${place}/occupied`, "--request", "PUT", "--data-binary", "other"), 200);
      // Long enough for a new Last-Modified to be another one.
      await setTimeout(1100);
      assertStatus(await rename("old%20name", "new"), 200);
      assert.deepEqual(await headersOf("new"), before);
      assertStatus(await signed(`${place}/old%20name`, "--head"), 404);
      assertStatus(await rename("new", "occupied"), 200);
      assert.deepEqual(await headersOf("occupied"), before);
      assertStatus(await signed(`${place}/new`, "--head"), 404);
      assert.equal((await signed(`${place}/occupied`)).sha256, site.mebibyte.sha256);
      assert.match((await rename("new", "occupied")).body, /<Code>NoSuchKey<\/Code>/);
    },
  };
}

function listingCheck({ endpoint, signed }: CurlTools): Check {
  return {
    name: "a listing is XML with a declaration and S3's namespace",
    async run() {
      const { body, headers } = await signed(`${endpoint.url}/${LISTING_BUCKET}?list-type=2&max-keys=2`);
      assert.match(headers.get("content-type") ?? "", /^application\/xml/);
      assert.match(body, /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*<ListBucketResult xmlns="http:\/\/s3\.amaz/);
      assert.match(body, /<LastModified>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z<\/LastModified>/);
      assert.match(body, /<ETag>(?:"|&quot;)[0-9a-f]{32}(?:"|&quot;)<\/ETag>/);
    },
  };
}

function refusalCheck({ place, anonymous, signed }: CurlTools): Check {
  return {
    name: "a request without credentials or without a payload hash returns S3's error document",
    async run() {
      const denied = await anonymous(`${place}/k`, "-H", "Accept: text/html");
      assertStatus(denied, 403);
      assert.match(denied.body, /^<\?xml[^]*<Error><Code>AccessDenied<\/Code><Message>Access Denied</);
      const absent = await signed(`${place}-absent/k`);
      assertStatus(absent, 404);
      assert.match(absent.body, /<BucketName>curl-\w+-absent<\/BucketName>/);
    },
  };
}

function assertStatus(answer: Curl, status: number, about = ""): void {
  assert.equal(answer.status, status, `${about} ${answer.body}`);
}

/** The headers that contain an SSE-C key. */
function bring(key: Buffer, prefix = "x-amz-server-side-encryption-customer"): string[] {
  const md5 = Buffer.from(hashBytes("md5", key), "hex").toString("base64");
  const headers = ["algorithm: AES256", `key: ${key.toString("base64")}`, `key-MD5: ${md5}`];
  return headers.flatMap((header) => ["-H", `${prefix}-${header}`]);
}

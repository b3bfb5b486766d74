// Imports over the network from a store that is not Cairn. It ignores parameters, and sends objects with the content coding
// that they were stored with. `npm run test:serve` runs it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { AwsV4Signer } from "aws4fetch";
import { sendOnWire } from "../../scripts/import/wire.ts";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { serveCairn, type ServedCairn } from "../../scripts/serve/runtime.ts";

const TEXT = "compressed ".repeat(5000);
const PART = { start: 3, end: 20 };
const ATTEMPTS = 200;
const PAUSE_MS = 50;
const OBJECTS: Readonly<Record<string, Uint8Array>> = {
  gzip: gzipSync(TEXT),
  "x-gzip": gzipSync(TEXT),
  br: brotliCompressSync(TEXT),
  deflate: deflateSync(TEXT),
  "gzip,br": brotliCompressSync(gzipSync(TEXT)),
  identity: Buffer.from(TEXT),
};

const credentials = makeCredentials();
const state = mkdtempSync(join(tmpdir(), "cairn-upstream-"));
let cairn: ServedCairn;

const upstream = createServer(({ method, url = "", headers: { range } }, response) => {
  const coding = decodeURIComponent(new URL(url, "http://upstream").pathname).split("/").at(-1) ?? "";
  const bytes = OBJECTS[coding];
  if (bytes === undefined) {
    response.writeHead(404).end("<Error><Code>NoSuchKey</Code></Error>");
    return;
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const sent = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
  response.writeHead(first === undefined ? 200 : 206, {
    "content-type": "text/plain",
    "content-encoding": coding,
    "content-length": sent.length,
    etag: `"${createHash("md5").update(bytes).digest("hex")}"`,
    "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT",
    ...(first === undefined ? {} : { "content-range": `bytes ${first}-${last}/${bytes.length}` }),
  });
  response.end(method === "HEAD" ? undefined : sent);
});

/** Sends a signed request. The answer's bytes are not decoded. */
async function send(method: string, target: string, headers: Record<string, string> = {}, body?: string) {
  const unsigned = { ...headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "accept-encoding": "gzip, br" };
  const options = { ...credentials, service: "s3", region: "auto", allHeaders: true };
  const signed = await new AwsV4Signer({ method, url: cairn.url + target, headers: unsigned, ...options }).sign();
  const answer = await sendOnWire({ url: signed.url.href, method, headers: signed.headers, body });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

before(async () => {
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = upstream.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const old = { endpoint: `http://127.0.0.1:${port}`, accessKeyId: "KEY", secretAccessKey: "secret", buckets: ["*"] };
  cairn = await serveCairn({
    state,
    host: "127.0.0.1",
    port: 0,
    bindings: {
      [ACCESS_KEY_ID]: credentials.accessKeyId,
      [SECRET_ACCESS_KEY]: credentials.secretAccessKey,
      UPSTREAMS: JSON.stringify({ old }),
      LOG_REQUESTS: "false",
    },
  });
  for (const bucket of ["whole", "parts"]) {
    const document = `<UpstreamConfiguration><Source>old</Source><Bucket>remote</Bucket></UpstreamConfiguration>`;
    assert.equal((await send("PUT", `/${bucket}`)).status, 200);
    assert.equal((await send("PUT", `/${bucket}?upstream`, {}, document)).status, 200);
  }
});

after(async () => {
  await cairn.stop();
  upstream.close();
  upstream.closeAllConnections();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
});

/** The object that the bucket itself has, once an import has ended. */
async function imported(target: string) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const answer = await send("GET", target, { "x-cairn-upstream": "none" });
    if (answer.status === 200) return answer;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error("the object was not imported");
}

void describe("an object that the upstream stores with a content coding", () => {
  for (const [coding, bytes] of Object.entries(OBJECTS)) {
    const key = encodeURIComponent(coding);

    void it(`is served and imported as stored: ${coding}`, async () => {
      const head = await send("HEAD", `/whole/${key}`);
      assert.deepEqual([head.status, head.headers.get("content-encoding")], [200, coding]);
      for (const answer of [await send("GET", `/whole/${key}`), await imported(`/whole/${key}`)]) {
        assert.deepEqual([answer.status, answer.headers.get("content-encoding")], [200, coding]);
        assert.ok(answer.bytes.equals(bytes));
      }
    });

    void it(`has the ranges of its stored bytes: ${coding}`, async () => {
      const part = await send("GET", `/parts/${key}`, { range: `bytes=${PART.start}-${PART.end}` });
      assert.deepEqual([part.status, part.headers.get("content-encoding")], [206, coding]);
      assert.ok(part.bytes.equals(bytes.subarray(PART.start, PART.end + 1)));
      assert.ok((await imported(`/parts/${key}`)).bytes.equals(bytes));
    });
  }
});

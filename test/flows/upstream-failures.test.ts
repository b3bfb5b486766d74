// Upstreams that are slow, lie, break off or are no S3 store: a code that clients retry, and nothing that is not whole.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";

import { importObjects } from "../../src/jobs/import-objects.ts";
import { deliverRemote, shareBytes } from "../../src/upstream/remote-bytes.ts";
import { importNextDue } from "../../src/upstream/import-due.ts";
import { askUpstream } from "../../src/upstream/upstream-requests.ts";
import worker from "../../src/worker.ts";
import { signed, streamOf } from "../support/client.ts";
import { md5Hex } from "../support/digests.ts";
import { jobContext, runPass } from "../support/jobs.ts";
import {
  importingBucket,
  objectAnswer,
  readThrough,
  storedText,
  UPSTREAM_ORIGIN,
  UPSTREAM_SCOPE,
  upstreamAnswers,
  upstreamWith,
} from "../support/upstream.ts";

const PLACE = {
  upstream: { endpoint: UPSTREAM_ORIGIN, region: "auto", style: "path", credentials: undefined, buckets: ["*"] },
  configuration: { source: "old", bucket: "old-bucket", prefix: "" },
} as const;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The headers of an object of a text, whatever the body is. */
const headersOf = (text: string): Headers =>
  objectAnswer({ method: "GET", path: "", query: "", headers: new Headers(), redirect: "" }, { text }).headers;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("an upstream that answers GET and HEAD with", () => {
  const html = "<html><body>Please log in</body></html>";
  const pageHeaders = { "content-type": "text/html", "content-length": String(html.length) };
  const dated = { ...pageHeaders, etag: '"5f-12"', "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT" };

  it.each<readonly [string, () => Response, string]>([
    ["a web page", () => new Response(html, { headers: pageHeaders }), "ServiceUnavailable"],
    ["a web page with validators", () => new Response(html, { headers: dated }), "ServiceUnavailable"],
    ["a web page that is not found", () => new Response(html, { status: 404 }), "ServiceUnavailable"],
    [
      "a bucket that is not found",
      () => new Response("<Error><Code>NoSuchBucket</Code></Error>", { status: 404 }),
      "ServiceUnavailable",
    ],
    ["403", () => new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 }), "ServiceUnavailable"],
    ["500", () => new Response("", { status: 500 }), "ServiceUnavailable"],
    ["429", () => new Response("", { status: 429 }), "SlowDown"],
    ["503", () => new Response("", { status: 503 }), "SlowDown"],
    [
      "a redirect to this machine",
      () => new Response(null, { status: 307, headers: { location: "http://127.0.0.1:1/" } }),
      "ServiceUnavailable",
    ],
    ["a status without an object", () => new Response(null, { status: 204 }), "ServiceUnavailable"],
    [
      "no length",
      () => new Response(streamOf([bytes("x")]), { headers: withoutLength(headersOf("x")) }),
      "ServiceUnavailable",
    ],
    [
      "tags that are none",
      () => new Response("x", { headers: { ...Object.fromEntries(headersOf("x")), "x-amz-tagging-count": "2" } }),
      "ServiceUnavailable",
    ],
    [
      "more metadata than an object may have",
      () => new Response("x", { headers: { ...Object.fromEntries(headersOf("x")), "x-amz-meta-a": "y".repeat(3000) } }),
      "ServiceUnavailable",
    ],
  ])("%s results in a code to retry, and nothing is stored", async (_, answer, code) => {
    vi.spyOn(console, "warn").mockReturnValue();
    upstreamAnswers(answer);
    const bucket = await importingBucket();
    const got = await readThrough("GET", `/${bucket}/k`);
    expect([got.status, got.text]).toEqual([503, expect.stringContaining(`<Code>${code}</Code>`)]);
    expect(got.text).not.toMatch(/old\.example|UPSTREAMKEY/);
    expect(await storedText(bucket, "k")).toBeUndefined();
  });

  it("no connection results in a code to retry, without the upstream's address", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    upstreamAnswers(() => Promise.reject(new Error(`cannot reach ${UPSTREAM_ORIGIN}`)));
    const bucket = await importingBucket();
    expect((await readThrough("GET", `/${bucket}/k`)).status).toBe(503);
    expect((await readThrough("HEAD", `/${bucket}/k`)).status).toBe(503);
    expect(JSON.stringify(warn.mock.calls)).not.toContain("old.example");
  });
});

function withoutLength(headers: Headers): Headers {
  headers.delete("content-length");
  return headers;
}

describe("an upstream that lies", () => {
  it.each<readonly [string, () => ReadableStream<Uint8Array>]>([
    ["fewer bytes than announced", () => streamOf([bytes("0123")])],
    ["more bytes than announced", () => streamOf([bytes("0123456789"), bytes("more")])],
    ["bytes that break off", () => streamOf([bytes("0123")], new Error("connection lost"))],
  ])("with %s breaks the response off, and nothing is stored", async (_, body) => {
    vi.spyOn(console, "warn").mockReturnValue();
    upstreamAnswers(() => new Response(body(), { headers: headersOf("0123456789") }));
    const bucket = await importingBucket();
    const got = await readThrough("GET", `/${bucket}/k`);
    expect(got.text === undefined || got.text.length < 10 || got.text === "0123456789").toBe(true);
    expect(await storedText(bucket, "k")).toBeUndefined();
    // The claim has ended: the next read imports.
    upstreamWith({ "/old-bucket/k": { text: "0123456789" } });
    await readThrough("GET", `/${bucket}/k`);
    expect(await storedText(bucket, "k")).toBe("0123456789");
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["other bytes than the ETag says", { etag: `"${md5Hex("other")}"` }],
    [
      "other bytes than the checksum says",
      { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "FULL_OBJECT" },
    ],
  ])("with %s stores nothing", async (_, headers) => {
    vi.spyOn(console, "warn").mockReturnValue();
    upstreamWith({ "/old-bucket/k": { text: "bytes", headers } });
    const bucket = await importingBucket();
    await readThrough("GET", `/${bucket}/k`);
    expect(await storedText(bucket, "k")).toBeUndefined();
  });

  it("about an ETag that is no MD5, because a key encrypts the object, gets the MD5 as ETag", async () => {
    const headers = { etag: `"${md5Hex("other")}"`, "x-amz-server-side-encryption": "aws:kms" };
    upstreamWith({ "/old-bucket/k": { text: "bytes", headers } });
    const bucket = await importingBucket();
    await readThrough("GET", `/${bucket}/k`);
    expect(await storedText(bucket, "k")).toBe("bytes");
  });
});

describe("a slow upstream", () => {
  it("that does not answer in time results in a code to retry", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    upstreamAnswers(() => new Promise<Response>(() => undefined));
    await expect(askUpstream(PLACE, { method: "GET", key: "k" }, 20)).rejects.toMatchObject({
      code: "ServiceUnavailable",
    });
  });

  it("that stops in the middle breaks the response off", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    const endless = (): ReadableStream<Uint8Array> => new ReadableStream({ start: (it) => it.enqueue(bytes("01")) });
    await expect(deliverRemote(endless(), 10, () => Promise.resolve(), 20)).rejects.toMatchObject({
      code: "ServiceUnavailable",
    });
    const { body, deliver } = shareBytes(endless(), 10, 20);
    const read = new Response(body).text();
    await expect(deliver(() => Promise.resolve())).rejects.toMatchObject({ code: "ServiceUnavailable" });
    await expect(read).rejects.toThrow();
  });
});

describe("a client that leaves", () => {
  it("does not stop the import", async () => {
    const text = "x".repeat(300_000);
    upstreamWith({ "/old-bucket/k": { text } });
    const bucket = await importingBucket();
    const execution = createExecutionContext();
    const request = await signed("GET", `/${bucket}/k`);
    request.headers.set("host", new URL(request.url).host);
    const response = await worker.fetch(request, { ...env, ...UPSTREAM_SCOPE }, execution);
    expect(response.status).toBe(200);
    await response.body?.cancel();
    await waitOnExecutionContext(execution);
    expect(await storedText(bucket, "k")).toBe(text);
  });
});

describe("the job", () => {
  const now = Date.now() + 3_600_000;
  /** Copies in slices of four bytes. */
  const passOfSlices = async (): Promise<string[]> => {
    const { database, databases, blobs, coordinators, settings } = jobContext(now, UPSTREAM_SCOPE);
    const outcomes: string[] = [];
    for (const one of databases.all) {
      const of = one === database ? coordinators : coordinators.of(one);
      const connections = { database: one, blobs, coordinators: of, upstreams: settings.upstreams };
      for (;;) {
        const outcome = await importNextDue(connections, now, 4);
        if (outcome === undefined) break;
        outcomes.push(outcome);
      }
    }
    return outcomes;
  };

  /** Makes an object wait for the job: its import by a read failed without an end of its claim. */
  const waiting = async (text: string, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const bucket = await importingBucket();
    const big = { "content-length": String(64 * 1024 ** 2), etag: '"00000000000000000000000000000000"' };
    // The read sees a large object, of which it wants a part.
    upstreamAnswers((request) =>
      request.method === "HEAD"
        ? objectAnswer(request, { text: "", headers: big })
        : new Response("0", {
            status: 206,
            headers: { ...big, "content-length": "1", "content-range": `bytes 0-0/${64 * 1024 ** 2}` },
          }),
    );
    expect((await readThrough("GET", `/${bucket}/k`, { headers: { range: "bytes=0-0" } })).text).toBe("0");
    expect(await storedText(bucket, "k")).toBeUndefined();
    vi.restoreAllMocks();
    upstreamWith({ "/old-bucket/k": { text, headers } });
    return bucket;
  };

  it("imports an object of which a read wanted a part", async () => {
    const bucket = await waiting("0123456789");
    expect((await runPass(importObjects, now, UPSTREAM_SCOPE)).report).toMatchObject({ imported: 1 });
    expect(await storedText(bucket, "k")).toBe("0123456789");
  });

  it("copies a large object in slices", async () => {
    const etag = `"${md5Hex("parts")}-3"`;
    const bucket = await waiting("0123456789", { etag });
    expect(await passOfSlices()).toEqual(["continued", "continued", "imported"]);
    expect(await storedText(bucket, "k")).toBe("0123456789");
    const part = await readThrough("GET", `/${bucket}/k`, { headers: { range: "bytes=3-8" } });
    expect([part.text, part.headers.get("etag")]).toEqual(["345678", etag]);
  });

  it("tries again later while the upstream fails, and then imports", async () => {
    vi.spyOn(console, "warn").mockReturnValue();
    const bucket = await waiting("0123456789");
    const stopped = upstreamAnswers(() => new Response("", { status: 500 }));
    expect((await runPass(importObjects, now, UPSTREAM_SCOPE)).report).toMatchObject({ retried: 1 });
    expect(stopped).toHaveLength(1);
    upstreamWith({ "/old-bucket/k": { text: "0123456789" } });
    expect((await runPass(importObjects, now, UPSTREAM_SCOPE)).report).toEqual({});
    expect((await runPass(importObjects, now + 120_000, UPSTREAM_SCOPE)).report).toMatchObject({ imported: 1 });
    expect(await storedText(bucket, "k")).toBe("0123456789");
  });

  it("drops an object that the upstream no longer has", async () => {
    const bucket = await waiting("0123456789");
    upstreamWith({});
    expect((await runPass(importObjects, now, UPSTREAM_SCOPE)).report).toMatchObject({ dropped: 1 });
    expect(await storedText(bucket, "k")).toBeUndefined();
  });
});

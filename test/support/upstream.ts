// Buckets with an upstream, and a store in place of the network that the upstream's requests reach.
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, vi } from "vitest";

import worker from "../../src/worker.ts";
import { send, signed, type RequestScope, type SendOptions } from "./client.ts";
import { md5Hex } from "./digests.ts";
import { freshBucket } from "./fresh-bucket.ts";

export const UPSTREAM_ORIGIN = "https://old.example.com";
const KEYS = { accessKeyId: "UPSTREAMKEY", secretAccessKey: "the secret of the upstream's key" };

/** Declares the stores `old`, for every bucket, and `reserved`, for one that no test has. */
export const UPSTREAM_SCOPE: RequestScope = {
  UPSTREAMS: JSON.stringify({
    old: { endpoint: UPSTREAM_ORIGIN, region: "eu-central-1", ...KEYS, buckets: ["*"] },
    reserved: { endpoint: UPSTREAM_ORIGIN, ...KEYS, buckets: ["other-bucket"] },
  }),
};

export function upstreamDocument(source = "old", bucket = "old-bucket", prefix = ""): string {
  return `<UpstreamConfiguration><Source>${source}</Source><Bucket>${bucket}</Bucket><Prefix>${prefix}</Prefix></UpstreamConfiguration>`;
}

export async function setUpstream(bucket: string, document = upstreamDocument()): Promise<void> {
  const response = await send("PUT", `/${bucket}?upstream`, { body: document }, UPSTREAM_SCOPE);
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

/** A new bucket with the upstream `old`. */
export async function importingBucket(): Promise<string> {
  const bucket = await freshBucket();
  await setUpstream(bucket);
  return bucket;
}

/** A request that an upstream received. */
export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
  readonly redirect: string;
}

/** An object of the upstream. */
export interface UpstreamObject {
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Replaces the network by a function. Returns the requests that it received. */
export function upstreamAnswers(answer: (request: UpstreamRequest) => Response | Promise<Response>): UpstreamRequest[] {
  const received: UpstreamRequest[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const { url, method, headers, redirect } = new Request(input);
    const { pathname, search, origin } = new URL(url);
    expect(origin).toBe(UPSTREAM_ORIGIN);
    const request = { method, path: decodeURIComponent(pathname), query: search.slice(1), headers, redirect };
    received.push(request);
    return answer(request);
  });
  return received;
}

/** A store with these objects, by path. It answers like S3. */
export function upstreamWith(objects: Readonly<Record<string, UpstreamObject>>): UpstreamRequest[] {
  return upstreamAnswers((request) => {
    const object = objects[request.path];
    if (object === undefined) return missingAnswer();
    return request.query.startsWith("tagging") ? taggingAnswer(object) : objectAnswer(request, object);
  });
}

export function missingAnswer(): Response {
  return new Response("<Error><Code>NoSuchKey</Code></Error>", { status: 404 });
}

export function objectAnswer({ method, headers: asked }: UpstreamRequest, object: UpstreamObject): Response {
  const bytes = new TextEncoder().encode(object.text);
  const etag = object.headers?.["etag"] ?? `"${md5Hex(object.text)}"`;
  const match = asked.get("if-match");
  if (match !== null && match !== etag) return new Response("", { status: 412 });
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(asked.get("range") ?? "") ?? [];
  const part = first === undefined ? bytes : bytes.slice(Number(first), Number(last) + 1);
  const headers = new Headers({
    etag,
    "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT",
    "content-length": String(part.length),
    "content-type": "text/plain",
    ...(object.tags === undefined ? {} : { "x-amz-tagging-count": String(Object.keys(object.tags).length) }),
    ...(first === undefined ? {} : { "content-range": `bytes ${first}-${last}/${bytes.length}` }),
    ...object.headers,
  });
  return new Response(method === "HEAD" ? null : part, { status: first === undefined ? 200 : 206, headers });
}

function taggingAnswer({ tags = {} }: UpstreamObject): Response {
  const set = Object.entries(tags).map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`);
  return new Response(`<Tagging><TagSet>${set.join("")}</TagSet></Tagging>`);
}

/** A response with its body, which was read before the background work was waited for. */
export interface ReadResponse {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined if the body broke off. */
  readonly text: string | undefined;
}

/** Sends a request, reads the response, and then waits for the background work. */
export async function readThrough(
  method: string,
  target: string,
  options: SendOptions = {},
  scope: RequestScope = UPSTREAM_SCOPE,
): Promise<ReadResponse> {
  return readSent(await signed(method, target, options), scope);
}

export async function readSent(request: Request, scope: RequestScope = UPSTREAM_SCOPE): Promise<ReadResponse> {
  const execution = createExecutionContext();
  if (!request.headers.has("host")) request.headers.set("host", new URL(request.url).host);
  const response = await worker.fetch(request, { ...env, ...scope }, execution);
  const text = await response.text().catch(() => undefined);
  await waitOnExecutionContext(execution);
  return { status: response.status, headers: response.headers, text };
}

/** The text of an object that the bucket itself has; undefined if it has none. */
export async function storedText(bucket: string, key: string): Promise<string | undefined> {
  const response = await send("GET", `/${bucket}/${key}`, { headers: { "x-cairn-upstream": "none" } });
  const text = await response.text();
  if (response.status === 404) return undefined;
  expect(response.status).toBe(200);
  return text;
}

// The request log: one line for every request and every result, with its costs, and without secrets or stored content.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  anonymous,
  deliver,
  presigned,
  ROOT,
  send,
  signed,
  type SendOptions,
  type RequestScope,
} from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { d1With, r2With } from "../support/faults.ts";
import { BOUNDARY, formOf, signPolicy } from "../support/forms.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { PART_MIN_BYTES, uploadInParts } from "../support/multipart.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { versionedBucket } from "../support/versioning.ts";

const LOGGING = { LOG_REQUESTS: "true" };
const CUSTOMER_KEY = btoa("0123456789abcdef0123456789abcdef");
const ROOT_ARN = "arn:aws:iam::000000000000:root";

const log = vi.spyOn(console, "log");
const error = vi.spyOn(console, "error");
beforeEach(() => {
  for (const spy of [log, error]) spy.mockReset().mockImplementation(() => undefined);
});
afterEach(() => {
  for (const spy of [log, error]) spy.mockReset();
});

/** All logged text. */
function logged(): string {
  return JSON.stringify([...log.mock.calls, ...error.mock.calls]);
}

/** The lines of the request log so far; each is one object on one line. */
function lines(): Record<string, unknown>[] {
  return [...log.mock.calls, ...error.mock.calls].flatMap((call) => {
    expect(call.length).toBe(1);
    const text = String(call[0]);
    expect(text).not.toContain("\n");
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) throw new Error(`no object: ${text}`);
    return "status" in line ? [{ ...line }] : [];
  });
}

/** Sends a request and returns its line, of which there must be exactly one. */
async function lineOf(
  method: string,
  target: string,
  options: SendOptions = {},
  scope: RequestScope = {},
): Promise<Record<string, unknown>> {
  return lineOfRequest(await signed(method, target, options), scope);
}

async function lineOfRequest(request: Request, scope: RequestScope = {}): Promise<Record<string, unknown>> {
  const before = lines().length;
  const response = await deliver(request, { ...LOGGING, ...scope });
  await response.arrayBuffer();
  const [line, ...others] = lines().slice(before);
  expect(others).toEqual([]);
  expect(line).toMatchObject({ status: response.status, requestId: response.headers.get("x-amz-request-id") });
  return line ?? {};
}

describe("the sampling of the request log", () => {
  it("omits successful requests and no failed one", async () => {
    const bucket = await freshBucket();
    const scope = { ...LOGGING, LOG_SAMPLE_PERCENT: "0" };
    await send("GET", `/${bucket}`, {}, scope);
    expect(lines()).toEqual([]);
    await send("GET", `/${bucket}/none`, {}, scope);
    expect(lines().map(({ status }) => status)).toEqual([404]);
  });

  it("writes every line at 100 percent, which is the default", async () => {
    const bucket = await freshBucket();
    for (let request = 0; request < 5; request += 1) await send("GET", `/${bucket}`, {}, LOGGING);
    expect(lines()).toHaveLength(5);
  });
});

describe("a line of the request log", () => {
  it("contains the caller, the operation, the result and the cost", async () => {
    const bucket = await freshBucket();
    const headers = { "user-agent": "a-client/1.0" };
    const line = await lineOf("PUT", `/${bucket}/some/key`, { body: "12345", headers }, IN_STORE);
    expect(line).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      requestId: expect.stringMatching(/^[0-9A-V]{16}$/) as unknown,
      method: "PUT",
      operation: "PutObject",
      bucket,
      status: 200,
      principal: ROOT_ARN,
      bytesIn: 5,
      d1RoundTrips: 2,
      d1RowsRead: expect.any(Number) as unknown,
      d1RowsWritten: 1,
      coordinatorCalls: 1,
      blobCalls: 1,
      ms: expect.any(Number) as unknown,
      stages: {
        lookUp: expect.any(Number) as unknown,
        authorize: expect.any(Number) as unknown,
        run: expect.any(Number) as unknown,
      },
      userAgent: "a-client/1.0",
    });
    expect(await lineOf("GET", `/${bucket}/some/key`)).toMatchObject({
      operation: "GetObject",
      bytesOut: 5,
      d1RoundTrips: 1,
      blobCalls: 1,
    });
    expect(await lineOf("GET", "/")).toMatchObject({ operation: "ListBuckets", status: 200, principal: ROOT_ARN });
    expect(error).not.toHaveBeenCalled();
  });

  it("also counts the blobs that are read while the response is sent", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", [new Uint8Array(PART_MIN_BYTES), utf8("x")]);
    expect(await lineOf("GET", `/${bucket}/k`)).toMatchObject({ status: 200, blobCalls: 2 });
    const headers = { range: `bytes=${PART_MIN_BYTES}-`, "cache-control": "no-store" };
    expect(await lineOf("GET", `/${bucket}/k`, { headers })).toMatchObject({ status: 206, blobCalls: 1 });
  });

  it("names the snapshot that was read", async () => {
    const bucket = await versionedBucket();
    await putAll(bucket, { k: "1" });
    const address = await takeSnapshot(bucket, "s");
    expect(await lineOf("GET", `/${address}/k`)).toMatchObject({ operation: "GetObject", bucket, snapshot: "s" });
  });

  it("is written for rejected requests, with the error code and the reason", async () => {
    const bucket = await freshBucket();
    const missing = await lineOf("GET", `/${bucket}/missing`);
    expect(missing).toMatchObject({ operation: "GetObject", status: 404, error: "NoSuchKey", principal: ROOT_ARN });
    const credentials = { ...ROOT, secretAccessKey: "guessed" };
    const unsigned = await lineOf("GET", `/${bucket}/k`, { credentials });
    expect(unsigned).toMatchObject({ status: 403, error: "SignatureDoesNotMatch", d1RoundTrips: 0 });
    expect(unsigned).not.toHaveProperty("principal");
    const denied = await lineOfRequest(anonymous("GET", `/${bucket}/the/secret-key`));
    expect(denied).toMatchObject({
      operation: "GetObject",
      status: 403,
      error: "AccessDenied",
      principal: "anonymous",
      decision: expect.stringContaining("is not authorized to perform: s3:GetObject") as unknown,
    });
    expect(await lineOf("PATCH", `/${bucket}`)).toMatchObject({ status: 405, error: "MethodNotAllowed" });
    expect(await lineOf("GET", "/%zz")).toMatchObject({ status: 400, error: "InvalidURI" });
    expect(await lineOf("GET", `/${bucket}?torrent&policy`)).toMatchObject({ status: expect.any(Number) as unknown });
    expect(error).not.toHaveBeenCalled();
  });

  it("names the signer of a form, and no identity without one", async () => {
    const bucket = await freshBucket();
    const lineOfForm = async (fields: Readonly<Record<string, string>>): Promise<Record<string, unknown>> => {
      const headers = { "content-type": `multipart/form-data; boundary=${BOUNDARY}` };
      const body = formOf([...Object.entries(fields), ["file", "text", "f"]]);
      return lineOfRequest(anonymous("POST", `/${bucket}`, { headers, body }));
    };
    const fields = { key: "k", ...signPolicy([{ bucket }, { key: "k" }]) };
    const operation = "PostObject";
    expect(await lineOfForm(fields)).toMatchObject({ operation, status: 204, principal: ROOT_ARN });
    expect(await lineOfForm({ key: "k" })).toMatchObject({ operation, status: 403, principal: "anonymous" });
    const forged = await lineOfForm({ ...fields, "x-amz-signature": "0".repeat(64) });
    expect(forged).toMatchObject({ operation, status: 403, error: "SignatureDoesNotMatch" });
    expect(forged).not.toHaveProperty("principal");
  });

  it("is written for preflights", async () => {
    const bucket = await freshBucket();
    const headers = { origin: "https://a.example", "access-control-request-method": "GET" };
    const line = await lineOfRequest(anonymous("OPTIONS", `/${bucket}/k`, { headers }));
    expect(line).toMatchObject({ method: "OPTIONS", operation: "Preflight", bucket, error: "AccessForbidden" });
  });

  it("is written for IAM and STS calls", async () => {
    const body = "Action=GetCallerIdentity&Version=2011-06-15";
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=${ROOT.accessKeyId}/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0`,
      "content-type": "application/x-www-form-urlencoded",
    };
    const line = await lineOfRequest(anonymous("POST", "/", { body, headers }));
    expect(line).toMatchObject({ operation: "sts", status: expect.any(Number) as unknown });
    expect(line["error"]).toBeDefined();
  });

  it("is written to the error stream when the service failed", async () => {
    const bucket = await freshBucket();
    const failing = { DB: d1With(() => Promise.reject(new Error("no such column: x"))) };
    const line = await lineOf("GET", `/${bucket}/k`, {}, failing);
    expect(line["level"]).toBe("error");
    expect(Number(line["status"])).toBeGreaterThanOrEqual(500);
    expect(line["error"]).toBeDefined();
    expect(error).toHaveBeenCalled();
  });

  it("is no error for an operation that is not implemented", async () => {
    const bucket = await freshBucket();
    const line = await lineOf("GET", `/${bucket}?metrics&id=a`);
    expect(line).toMatchObject({ status: 501, level: "info", error: "NotImplemented" });
    expect(error).not.toHaveBeenCalled();
  });

  it("truncates the user agent and omits an invalid bucket name", async () => {
    const line = await lineOf("GET", "/NOT_A_BUCKET/k", { headers: { "user-agent": "x".repeat(5000) } });
    expect(line).toMatchObject({ error: "InvalidBucketName", userAgent: "x".repeat(120) });
    expect(line).not.toHaveProperty("bucket");
  });

  it("is a single line for any user agent", async () => {
    const bucket = await freshBucket();
    const headers = { "user-agent": `a"},{"status":200,"x":"\u00e9` };
    expect(await lineOf("GET", `/${bucket}?list-type=2`, { headers })).toMatchObject({ operation: "ListObjectsV2" });
  });

  it("is not written when the setting disables it", async () => {
    const bucket = await freshBucket();
    await send("GET", `/${bucket}`, {}, { LOG_REQUESTS: "false" });
    expect(lines()).toEqual([]);
    await send("GET", `/${bucket}`, {}, { LOG_REQUESTS: "" });
    expect(lines().length).toBe(1);
  });
});

describe("the request log", () => {
  it("contains no keys, contents, queries, secrets or signatures for any result", async () => {
    const bucket = await freshBucket();
    const words = ["the-secret-key", "the-contents", "the-prefix", "the-tag", "the-metadata", "the-token"];
    const secrets = [
      ...words,
      ROOT.secretAccessKey,
      encodeURIComponent(ROOT.secretAccessKey),
      CUSTOMER_KEY,
      encodeURIComponent(CUSTOMER_KEY),
      "AWS4-HMAC-SHA256",
      "Signature=",
    ];
    const headers = {
      "x-amz-meta-m": "the-metadata",
      "x-amz-tagging": "a=the-tag",
      "x-amz-security-token": "the-token",
      "x-amz-server-side-encryption-customer-algorithm": "AES256",
      "x-amz-server-side-encryption-customer-key": CUSTOMER_KEY,
    };
    const target = `/${bucket}/the-secret-key`;
    const document = "<Delete><Object><Key>the-secret-key</Key></Object></Delete>";
    const requests: (readonly [Request, RequestScope])[] = [
      [await signed("PUT", target, { body: "the-contents" }), {}],
      [await signed("PUT", target, { body: "the-contents", headers }), {}],
      [await signed("GET", target, { headers }), {}],
      [await signed("GET", target), {}],
      [await signed("GET", `/${bucket}?prefix=the-prefix`), {}],
      [await presigned("GET", target, { headers: { "x-amz-security-token": "the-token" } }), {}],
      [await presigned("GET", target), {}],
      [anonymous("GET", target), {}],
      [anonymous("PUT", target, { body: "the-contents" }), {}],
      [await signed("GET", target, { credentials: { ...ROOT, secretAccessKey: "wrong" } }), {}],
      [await signed("GET", `/${bucket}/missing/the-secret-key`), {}],
      [await signed("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": target } }), {}],
      [
        await signed("POST", `/${bucket}?delete`, {
          body: document,
          headers: { "content-md5": md5Base64(utf8(document)) },
        }),
        {},
      ],
      [await signed("GET", target), { BLOBS: r2With({ get: () => Promise.reject(new Error("the bytes are away")) }) }],
      [await signed("GET", `/${bucket}/k`), { DB: d1With(() => Promise.reject(new Error("out of reach"))) }],
    ];
    for (const [request, scope] of requests) await lineOfRequest(request, scope);
    expect(lines().length).toBe(requests.length);
    expect(new Set(lines().map(({ status }) => status)).size).toBeGreaterThan(3);
    for (const secret of secrets) expect(logged()).not.toContain(secret);
  });
});

// GetObject when a blob is missing, short or fails midway, and what an unexpected failure returns and logs.
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import { SALT_BYTES } from "../../src/bytes/frame-layout.ts";
import { mockErrorLog } from "../support/error-log.ts";
import { ROOT, send } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { d1With, r2With } from "../support/faults.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { PATIENCE } from "../support/quick.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { largePart, uploadInParts } from "../support/multipart.ts";
import { SLOW_DOWN, bucketOfOne, remove } from "./faults-fixture.ts";

storeBodiesInBlobs();

const INTERNAL = { status: 500, code: "InternalError", message: "We encountered an internal error. Please try again." };

const log = mockErrorLog();

describe("a GET", () => {
  it("whose object is replaced and its blob collected after the row was read returns the new bytes", async () => {
    const bucket = await bucketOfOne();
    let looks = 0;
    const BLOBS = r2With({
      async get(key, options) {
        looks += 1;
        if (looks === 1) {
          await putAll(bucket, { k: "newer" });
          await env.BLOBS.delete(key);
        }
        return env.BLOBS.get(key, options);
      },
    });
    const response = await send("GET", `/${bucket}/k`, {}, { BLOBS });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe("5");
    await expectBytes(response, "newer");
    expect(looks).toBe(2);
  });

  it("whose object is deleted and its blob collected after the row was read returns NoSuchKey", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async get(key) {
        await remove(bucket);
        await env.BLOBS.delete(key);
        return env.BLOBS.get(key);
      },
    });
    await expectS3Error(await send("GET", `/${bucket}/k`, {}, { BLOBS }), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "k" },
    });
  });

  it("whose blob is missing permanently returns an internal error and never a short 200", async () => {
    const bucket = await bucketOfOne();
    await env.BLOBS.delete(Object.keys((await storedStateOf(bucket)).blobs));
    await expectS3Error(await send("GET", `/${bucket}/k`), INTERNAL);
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: { range: "bytes=0-0" } }), INTERNAL);
    expect((await send("HEAD", `/${bucket}/k`)).status).toBe(200);
  });

  it("whose blob is shorter than its row states returns an internal error and never a short 200 or 206", async () => {
    const bucket = await bucketOfOne();
    const [blobId = ""] = Object.keys((await storedStateOf(bucket)).blobs);
    for (const left of ["o", "ol"]) {
      await env.BLOBS.put(blobId, left);
      for (const headers of [{}, { range: "bytes=0-" }, { range: "bytes=1-2" }, { range: "bytes=-1" }]) {
        await expectS3Error(await send("GET", `/${bucket}/k`, { headers }), INTERNAL);
      }
    }
  });

  it("whose blob store fails returns a retryable error", async () => {
    const bucket = await bucketOfOne();
    const failing = (message: string) => ({ BLOBS: r2With({ get: () => Promise.reject(new Error(message)) }) });
    await expectS3Error(await send("GET", `/${bucket}/k`, {}, failing("get: Network connection lost.")), SLOW_DOWN);
    const response = await send("GET", `/${bucket}/k`, {}, failing("get: Reduce your request rate. (10058)"));
    expect(response.headers.get("retry-after")).toBe("1");
    await expectS3Error(response, { status: 503, code: "SlowDown" });
  });
});

/** Endless bytes of a blob, with a record of whether the stream was cancelled. */
function endlessBlob(found: R2ObjectBody): { readonly blob: R2ObjectBody; readonly isLetGo: () => boolean } {
  let isLetGo = false;
  const body = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.enqueue(new Uint8Array(10));
    },
    cancel: () => {
      isLetGo = true;
    },
  });
  const blob = new Proxy(found, {
    get: (target, property): unknown => (property === "body" ? body : Reflect.get(target, property, target)),
  });
  return { blob, isLetGo: () => isLetGo };
}

describe("a GET of several blobs", () => {
  it("whose next blob fails while one is sent breaks off after that one, without an unhandled rejection", async () => {
    const bucket = await freshBucket();
    const first = largePart(1);
    await uploadInParts(bucket, "k", [first, "next"]);
    let calls = 0;
    const BLOBS = r2With({
      get: async (key, options) => {
        calls += 1;
        if (calls > 1) throw new Error("get: We encountered an internal error. (10001)");
        return env.BLOBS.get(key, options);
      },
    });
    const reader = (await send("GET", `/${bucket}/k`, {}, { BLOBS })).body?.getReader();
    // The failure occurs long before the blob is read; the test runner reports unhandled rejections.
    await new Promise((resolve) => setTimeout(resolve, 50));
    let length = 0;
    const readAll = async (): Promise<void> => {
      for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
        length += read.value.length;
      }
    };
    await expect(readAll()).rejects.toThrow("10001");
    expect(length).toBe(first.length);
  });

  it("cancels the current and the prefetched blob when the client disconnects", async () => {
    const bucket = await freshBucket();
    await uploadInParts(bucket, "k", [largePart(1), "next"]);
    const opened: ReturnType<typeof endlessBlob>[] = [];
    const BLOBS = r2With({
      get: async (key, options) => {
        const found = await env.BLOBS.get(key, options);
        if (found === null) return null;
        const blob = endlessBlob(found);
        opened.push(blob);
        return blob.blob;
      },
    });
    const reader = (await send("GET", `/${bucket}/k`, {}, { BLOBS })).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await vi.waitFor(() => expect(opened.map(({ isLetGo }) => isLetGo())).toEqual([true, true]), PATIENCE);
  });

  it("cancels the bytes of an encrypted blob when the concurrent read of its salt fails", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(1));
    expect((await send("PUT", `/${bucket}/k`, { body: noise(200_000), headers })).status).toBe(200);
    const opened: ReturnType<typeof endlessBlob>[] = [];
    const BLOBS = r2With({
      get: async (key, options) => {
        const { range } = options ?? {};
        const isSalt = range !== undefined && "length" in range && range.length === SALT_BYTES;
        if (isSalt) throw new Error("get: We encountered an internal error. (10001)");
        const found = await env.BLOBS.get(key, options);
        if (found === null) return null;
        const blob = endlessBlob(found);
        opened.push(blob);
        return blob.blob;
      },
    });
    const range = { ...headers, range: "bytes=100000-" };
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: range }, { BLOBS }), SLOW_DOWN);
    await vi.waitFor(() => expect(opened.map(({ isLetGo }) => isLetGo())).toEqual([true]), PATIENCE);
  });
});

describe("an unexpected failure", () => {
  it("returns InternalError without the cause, and logs the cause with the request id", async () => {
    const bucket = await bucketOfOne();
    const secret = `SELECT ${ROOT.secretAccessKey} at src/state/d1/database.ts:1:1`;
    for (const [scope, method] of [
      [{ DB: d1With(() => Promise.reject(new Error(`D1_ERROR: ${secret}`))) }, "GET"],
      [{ BLOBS: r2With({ get: () => Promise.reject(new TypeError(secret)) }) }, "GET"],
      [{ BLOBS: r2With({ put: () => Promise.reject(new TypeError(secret)) }) }, "PUT"],
    ] as const) {
      log.mockClear();
      const options = method === "PUT" ? { body: "x" } : {};
      const response = await send(method, `/${bucket}/k`, options, scope);
      const id = response.headers.get("x-amz-request-id") ?? "";
      const answer = `${JSON.stringify(Array.from(response.headers))}${await response.clone().text()}`;
      for (const leak of ["SELECT", "D1_ERROR", "TypeError", "database.ts", ROOT.secretAccessKey, "    at "]) {
        expect(answer).not.toContain(leak);
      }
      await expectS3Error(response, INTERNAL);
      expect(log).toHaveBeenCalledTimes(1);
      const [line] = log.mock.calls[0] ?? [];
      expect(JSON.parse(String(line))).toMatchObject({ level: "error", requestId: id, message: expect.any(String) });
    }
  });
});

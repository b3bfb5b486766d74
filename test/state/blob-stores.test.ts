// The behaviour of all blob stores, over R2, over files on a disk and over an S3 endpoint, which is a Cairn; and what is special to S3.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { DiskBlobStore } from "../../src/state/blobs/disk-blob-store.ts";
import { R2BlobStore } from "../../src/state/blobs/r2-blob-store.ts";
import { S3BlobStore } from "../../src/state/blobs/s3-blob-store.ts";
import type { S3BucketAddress } from "../../src/state/blobs/s3-bucket-address.ts";
import { S3Client, type S3Transport } from "../../src/state/blobs/s3-client.ts";
import { companionOf } from "../../src/state/blobs/s3-metadata.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { describeBlobStore, freshBlobId, LONG_METADATA, putBytes, readAll } from "../support/blob-store-suite.ts";
import { deliver as deliverInProcess, ENDPOINT, ROOT, send, withBody } from "../support/client.ts";
import { md5Hex, noise } from "../support/digests.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";

const bucket = freshBucketName();
beforeAll(async () => {
  expect((await send("PUT", `/${bucket}`)).status).toBe(200);
});

const ADDRESS: S3BucketAddress = { endpoint: ENDPOINT, bucket, region: "auto", style: "path", ...ROOT };

/** Sends a request to the Cairn in this process. A network would part its streams from those of the Worker. */
async function deliver(request: Request): Promise<Response> {
  const { body } = request;
  return deliverInProcess(body === null ? request : withBody(request, body.pipeThrough(new TransformStream())));
}

type Answer = (request: Request) => Promise<Response>;

function s3Store(counts: Counts, transport: Partial<S3Transport> = {}, address: Partial<S3BucketAddress> = {}) {
  const client = new S3Client({ ...ADDRESS, ...address }, { fetch: deliver, backoffMs: 1, ...transport });
  return new S3BlobStore(client, counts);
}

const virtual = new S3Client(
  { ...ADDRESS, endpoint: "http://s3.example.com", style: "virtual" },
  { fetch: deliver, backoffMs: 1 },
);

/** The disk store of test/vitest.config.ts. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const DISK = Reflect.get(env, "TEST_DISK") as Fetcher;

// The local R2 has one storage class.
describeBlobStore("R2BlobStore", (counts) => new R2BlobStore(env.BLOBS, counts), false);
describeBlobStore("DiskBlobStore", (counts) => new DiskBlobStore(DISK, counts));
describeBlobStore("S3BlobStore with a new client for each store", (counts) => s3Store(counts));
describeBlobStore("S3BlobStore in virtual-hosted style", (counts) => new S3BlobStore(virtual, counts));

/** A store whose requests are answered by `answer`, and the requests. */
function answered(answer: Answer, transport: Partial<S3Transport> = {}) {
  const requests: Request[] = [];
  const counts = new Counts();
  const store = s3Store(counts, {
    ...transport,
    fetch: async (request) => {
      requests.push(request);
      return answer(request);
    },
  });
  return { store, requests, counts };
}

/** Fails the first `times` requests. */
function failing(times: number, failure: () => Response | Error): Answer {
  let left = times;
  return async (request) => {
    left -= 1;
    if (left < 0) return deliver(request);
    const failed = failure();
    if (failed instanceof Error) throw failed;
    return failed;
  };
}

const status = (code: number) => () => new Response(null, { status: code });

describe("a call to S3", () => {
  it.each([
    ["500", status(500)],
    ["503", status(503)],
    ["429", status(429)],
    ["a lost connection", () => new Error("Network connection lost.")],
  ])("is repeated after %s unless it sends a stream, and every attempt is counted", async (_, failure) => {
    const { store, counts } = answered(failing(2, failure));
    expect(await store.has(freshBlobId())).toBe(false);
    // HeadObject three times and HeadBucket.
    expect(counts.snapshot().blobCalls).toBe(4);
    const streaming = answered(failing(1, failure));
    await expect(putBytes(streaming.store, noise(10), { blobId: freshBlobId() })).rejects.toThrow();
    expect(streaming.requests).toHaveLength(1);
  });

  it.each([429, 503])("that meets %i each time rejects with SlowDown", async (code) => {
    const { store } = answered(async () => status(code)());
    await expect(store.get(freshBlobId(), undefined)).rejects.toMatchObject({ code: "SlowDown" });
    await expect(putBytes(store, noise(5), { blobId: freshBlobId() })).rejects.toMatchObject({ code: "SlowDown" });
  });

  it("that gets no headers in time is given up, a stream only after its end", async () => {
    const silent = answered(() => new Promise(() => undefined), { timeoutMs: 20 });
    await expect(silent.store.readMark()).rejects.toThrow("did not answer GetObject in 20 ms");
    expect(silent.requests).toHaveLength(4);
    const deaf = answered(
      async (request) => {
        await request.bytes();
        return new Promise(() => undefined);
      },
      { timeoutMs: 20 },
    );
    await expect(putBytes(deaf.store, noise(9), { blobId: freshBlobId() })).rejects.toThrow("did not answer PutObject");
  });

  it.each([301, 302, 307, 308])("does not follow a redirect with %i, nor repeats it", async (code) => {
    const { store, requests } = answered(
      async () => new Response(null, { status: code, headers: { location: "http://169.254.169.254/" } }),
    );
    await expect(store.get(freshBlobId(), undefined)).rejects.toThrow("redirects GetObject");
    await expect(putBytes(store, noise(5), { blobId: freshBlobId() })).rejects.toThrow("redirects PutObject");
    expect(requests.map(({ url }) => new URL(url).origin)).toEqual([ENDPOINT, ENDPOINT]);
    expect(requests.every(({ redirect }) => redirect === "manual")).toBe(true);
  });

  it.each(["//evil.example/x", "../../x", "a?delete", "a#b", "b@evil.example", "\\\\evil.example/x"])(
    "stays in its bucket for any blob id: %s",
    async (blobId) => {
      const { store, requests } = answered(async () => status(404)());
      await store.get(blobId, undefined).catch(() => undefined);
      for (const { url } of requests) expect(new URL(url).origin).toBe(ENDPOINT);
      for (const { url } of requests) expect(new URL(url).search).toBe("");
    },
  );

  it("sends a stream's length, its SHA-256, and no bytes before they are there", async () => {
    const { store, requests } = answered(deliver);
    const bytes = noise(70_000);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    await putBytes(store, bytes, { blobId: freshBlobId(), hash: { algorithm: "SHA-256", bytes: sha256 } });
    expect(requests[0]?.headers.get("content-length")).toBe("70000");
    expect(requests[0]?.headers.get("x-amz-content-sha256")).toBe(Buffer.from(sha256).toString("hex"));
    expect(requests[0]?.headers.get("if-none-match")).toBe("*");
  });

  it("fails without its settings, and reaches nothing", async () => {
    const store = new S3BlobStore(new S3Client(undefined, { fetch: deliver }), new Counts());
    await expect(store.has(freshBlobId())).rejects.toThrow("the settings BLOB_STORE_* are incomplete or invalid");
    await expect(store.delete([freshBlobId()])).rejects.toThrow("BLOB_STORE_*");
  });

  it("with a revoked key fails with a message that holds neither key nor signature", async () => {
    const secretAccessKey = "revoked-secret-access-key";
    const store = s3Store(new Counts(), {}, { secretAccessKey });
    for (const failed of [
      store.has(freshBlobId()),
      store.get(freshBlobId(), undefined),
      store.list(undefined, 5),
      store.delete([freshBlobId()]),
      putBytes(store, noise(5), { blobId: freshBlobId() }),
    ]) {
      const message = await failed.then(
        () => "",
        (error: unknown) => String(error),
      );
      expect(message).toMatch(/the blob store refused \w+: 403/);
      expect(message).not.toMatch(/revoked-secret|Signature=|CAIRNTEST|AWS4/);
    }
  });

  it("to a bucket that does not exist fails and reports no blob as missing", async () => {
    const store = s3Store(new Counts(), {}, { bucket: freshBucketName() });
    await expect(store.has(freshBlobId())).rejects.toThrow("refused HeadBucket: 404");
    await expect(store.get(freshBlobId(), undefined)).rejects.toThrow("NoSuchBucket");
    await expect(store.readMark()).rejects.toThrow("NoSuchBucket");
  });
});

describe("an S3 store", () => {
  /** A store whose ETags are no MD5s. */
  const withoutMd5: Answer = async (request) => {
    const response = await deliver(request);
    const headers = new Headers(response.headers);
    if (headers.has("etag")) headers.set("etag", '"0123456789abcdef0123456789abcdef"');
    return new Response(response.body, { status: response.status, headers });
  };

  it("without MD5s in its ETags gets them computed, and reports none for stored blobs", async () => {
    const { store } = answered(withoutMd5);
    for (const bytes of [noise(100), noise(30_000)]) {
      const blobId = freshBlobId();
      const result = await putBytes(store, bytes, { blobId });
      expect(result.isStored && Buffer.from(result.md5).toString("hex")).toBe(md5Hex(bytes));
      expect((await store.head(blobId))?.md5).toBeUndefined();
      const opened = await store.open(blobId);
      expect(opened?.md5).toBeUndefined();
      await opened?.body.cancel();
    }
  });

  it("that ignores the SHA-1 of a put keeps no blob that mismatches", async () => {
    const { store } = answered(async (request) => {
      if (!request.headers.has("x-amz-checksum-sha1")) return deliver(request);
      await request.bytes();
      return new Response(null, { headers: { etag: '"x"' } });
    });
    const hash = { algorithm: "SHA-1", bytes: new Uint8Array(20) } as const;
    expect(await putBytes(store, noise(40), { blobId: freshBlobId(), hash })).toMatchObject({ isStored: false });
  });

  it("that ignores ranges is refused", async () => {
    const blobId = freshBlobId();
    await putBytes(s3Store(new Counts()), noise(100), { blobId });
    const { store } = answered(async () => new Response(noise(100)));
    await expect(store.get(blobId, { offset: 1, length: 2 })).rejects.toThrow("does not support ranges");
  });

  it("that deletes only some of the blobs is not believed", async () => {
    const { store } = answered(
      async () =>
        new Response("<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>", {
          status: 200,
        }),
    );
    await expect(store.delete([freshBlobId()])).rejects.toThrow("did not delete all blobs: AccessDenied");
  });

  it("that fails a copy after its status is not believed", async () => {
    const copy = { sourceId: freshBlobId(), range: undefined, blobId: freshBlobId(), recoveryMetadata: {} };
    let heads = 0;
    const { store } = answered(async ({ method }) => {
      if (method === "PUT") return new Response("<Error><Code>InternalError</Code></Error>");
      heads += 1;
      return new Response(null, { status: heads === 1 ? 404 : 200 });
    });
    await expect(store.copyToInfrequentAccess(copy)).rejects.toThrow("refused CopyObject: 200 InternalError");
  });

  it("keeps the companion of a blob until the blob is deleted, and none of a put that fails", async () => {
    const store = s3Store(new Counts());
    const [kept, failed] = [freshBlobId(), freshBlobId()];
    await putBytes(store, noise(5), { blobId: kept, recoveryMetadata: LONG_METADATA });
    const hash = { algorithm: "SHA-256", bytes: new Uint8Array(32) } as const;
    await putBytes(store, noise(5), { blobId: failed, hash, recoveryMetadata: LONG_METADATA });
    expect(await readAll(await store.get(companionOf(kept), undefined))).toBeDefined();
    expect(await store.get(companionOf(failed), undefined)).toBeUndefined();
    await store.delete([kept]);
    expect(await store.get(companionOf(kept), undefined)).toBeUndefined();
  });

  it("is asked for the metadata of at most six blobs at a time, and one call deletes 500", async () => {
    const { store, requests, counts } = answered(deliver);
    const ids = Array.from({ length: 500 }, () => freshBlobId());
    await store.delete(ids);
    expect(counts.snapshot().blobCalls).toBe(1);
    expect(requests[0]?.headers.get("content-md5")).not.toBeNull();
    for (const blobId of ids.slice(0, 20)) await store.putRecord({ blobId, bytes: noise(3), recoveryMetadata: {} });
    let [now, most] = [0, 0];
    const { store: listing } = answered(async (request) => {
      now += 1;
      most = Math.max(most, now);
      try {
        return await deliver(request);
      } finally {
        now -= 1;
      }
    });
    // Other tests share the store: some of its first 20 keys may be reserved or deleted meanwhile.
    const { blobs } = await listing.list(undefined, 20);
    expect(blobs.length).toBeGreaterThan(6);
    expect(blobs.length).toBeLessThanOrEqual(20);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(6);
  });
});

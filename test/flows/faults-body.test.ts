// PutObject when its body, the blob store or the first read fails: the error, and that nothing is stored.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { mockErrorLog } from "../support/error-log.ts";
import { streamOf } from "../support/client.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, d1With, r2With } from "../support/faults.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { NEW_BYTES, SLOW_DOWN, UNKNOWN, bucketOfOne, expectObject, put } from "./faults-fixture.ts";

mockErrorLog();

/** The two paths of a body: through JavaScript, and directly to the store, which verifies the announced digest. */
const WAYS = [
  ["through JavaScript", {}],
  ["past JavaScript", { "x-amz-checksum-sha256": checksum("SHA256", NEW_BYTES) }],
] as const;

describe.each(WAYS)("a PUT whose body does not have its announced length, sent %s,", (_way, headers) => {
  it.each([0, 1, 100_000, 299_999])(
    "returns IncompleteBody and stores nothing when it ends after %i bytes",
    async (length) => {
      const bucket = await bucketOfOne();
      const body = streamOf(length === 0 ? [] : [NEW_BYTES.subarray(0, length)]);
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    },
  );

  it.each([0, 1, 100_000, 299_999])("fails and stores nothing when it breaks off after %i bytes", async (length) => {
    const bucket = await bucketOfOne();
    const pieces = length === 0 ? [] : [NEW_BYTES.subarray(0, length)];
    const body = streamOf(pieces, new Error("connection reset"));
    const options = { body, headers: { "content-length": "300000", ...headers } };
    await expectNoTrace(bucket, async () => {
      const response = await put(bucket, {}, options);
      expect([400, 500]).toContain(response.status);
      await response.arrayBuffer();
    });
  });

  it("returns IncompleteBody and stores nothing when it is too long", async () => {
    const bucket = await bucketOfOne();
    for (const body of [streamOf([NEW_BYTES, utf8("more")]), streamOf([NEW_BYTES, NEW_BYTES, NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () =>
        expectS3Error(await put(bucket, {}, options), { status: 400, code: "IncompleteBody" }),
      );
    }
  });
});

describe.each(WAYS)("a PUT whose blob store fails, with the body sent %s,", (_way, headers) => {
  it("returns a retryable error and stores nothing when the store fails before the body is read", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: We encountered an internal error. (10001)")) });
    for (const body of [NEW_BYTES, streamOf([NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { BLOBS }, options), SLOW_DOWN));
    }
  });

  it("returns a retryable error and stores nothing when the store fails midway", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async put(_key, body) {
        const reader = body.getReader();
        await reader.read();
        const failure = new Error("put: We encountered an internal error. (10001)");
        await reader.cancel(failure);
        throw failure;
      },
    });
    for (const body of [NEW_BYTES, streamOf([NEW_BYTES])]) {
      const options = { body, headers: { "content-length": "300000", ...headers } };
      await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { BLOBS }, options), SLOW_DOWN));
    }
  });

  it("changes no object when the store's response is lost after the blob is stored", async () => {
    const bucket = await bucketOfOne();
    const before = await storedStateOf(bucket);
    const BLOBS = r2With({
      async put(key, body, options) {
        await env.BLOBS.put(key, body, options);
        throw new Error("put: Network connection lost.");
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }, { headers }), SLOW_DOWN);
    const after = await storedStateOf(bucket);
    expect(after.objects).toEqual(before.objects);
    expect(after.garbage).toEqual(before.garbage);
    await expectObject(bucket, "old");
  });

  it("returns SlowDown with Retry-After when the store is rate limited", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ put: () => Promise.reject(new Error("put: Reduce your request rate. (10058)")) });
    await expectNoTrace(bucket, async () => {
      const response = await put(bucket, { BLOBS }, { headers });
      expect(response.headers.get("retry-after")).toBe("1");
      await expectS3Error(response, { status: 503, code: "SlowDown" });
    });
  });

  it("returns EntityTooLarge when the store rejects the size", async () => {
    const bucket = await bucketOfOne();
    const tooLarge = new Error("put: Your proposed upload exceeds the maximum allowed object size. (100100)");
    const BLOBS = r2With({ put: () => Promise.reject(tooLarge) });
    await expectNoTrace(bucket, async () => {
      const expected = { status: 400, code: "EntityTooLarge", fields: { MaxSizeAllowed: "5363466240" } };
      await expectS3Error(await put(bucket, { BLOBS }, { headers }), expected);
    });
  });

  it("returns ServiceUnavailable and keeps the existing blob when the blob id is taken", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({
      async put(key, body, options) {
        await env.BLOBS.put(key, "another's");
        return env.BLOBS.put(key, body, options);
      },
    });
    await expectS3Error(await put(bucket, { BLOBS }, { headers }), UNKNOWN);
    await expectObject(bucket, "old");
  });

  it("returns the rejection when the deletion of the rejected blob fails", async () => {
    const bucket = await bucketOfOne();
    const BLOBS = r2With({ delete: () => Promise.reject(new Error("delete: Network connection lost.")) });
    const wrong = { ...headers, "content-md5": md5Base64(utf8("other")) };
    const response = await put(bucket, { BLOBS }, { headers: wrong });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>BadDigest</Code>");
    await expectObject(bucket, "old");
  });
});

describe("a PUT whose first read fails", () => {
  it("returns an internal error and stores nothing", async () => {
    const bucket = await bucketOfOne();
    const DB = d1With(() => Promise.reject(connectionLost()));
    await expectNoTrace(bucket, async () => expectS3Error(await put(bucket, { DB }), SLOW_DOWN));
  });
});

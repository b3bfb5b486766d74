// Rates of requests and bytes, of buckets, users, access keys and requests without credentials.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { anonymous, deliver, send, streamOf } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { setQuota } from "../support/quotas.ts";
import { answered, setSecond, statusOf } from "../support/rates.ts";

beforeEach(() => {
  setSecond(0);
});

afterEach(() => {
  vi.useRealTimers();
});

const OK = [200, null];

describe("a bucket's rate of requests", () => {
  it("refuses what exceeds it with 503 SlowDown and Retry-After, and admits again after that time", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "text" });
    await setQuota(bucket, "<MaxRequestsPerSecond>2</MaxRequestsPerSecond>");
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: "1" })).toEqual(OK);
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      const options = method === "PUT" ? { body: "2" } : {};
      expect(await statusOf(method, `/${bucket}/b`, options), method).toEqual([503, "1"]);
    }
    const refused = await send("GET", `/${bucket}?list-type=2`);
    await expectS3Error(refused, { status: 503, code: "SlowDown" });
    setSecond(1);
    expect(await (await send("GET", `/${bucket}/b`)).text()).toBe("1");
  });

  it("reads no body of a refused upload, stores nothing of it, and calls neither coordinator nor blob store", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxRequestsPerSecond>1</MaxRequestsPerSecond>");
    await send("HEAD", `/${bucket}`);
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          controller.enqueue(new Uint8Array(1));
        },
      },
      { highWaterMark: 0 },
    );
    const response = await send("PUT", `/${bucket}/a`, { body, headers: { "content-length": "9" } });
    expect([response.status, pulled]).toEqual([503, 0]);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    setSecond(1);
    expect(await statusOf("HEAD", `/${bucket}/a`)).toEqual([404, null]);
  });

  it("costs admitted requests no round trip, row or call", async () => {
    const [plain, limited] = [await freshBucket(), await freshBucket()];
    await setQuota(
      limited,
      "<MaxRequestsPerSecond>9</MaxRequestsPerSecond><MaxBytesInPerSecond>99</MaxBytesInPerSecond>" +
        "<MaxBytesOutPerSecond>99</MaxBytesOutPerSecond>",
    );
    for (const [method, target, options] of [
      ["PUT", "/k", { body: "1" }],
      ["GET", "/k", {}],
      ["HEAD", "/k", {}],
      ["GET", "?list-type=2", {}],
      ["DELETE", "/k", {}],
    ] as const) {
      // How many rows a statement reads depends on what else is in the table.
      const { rowsRead: _plain, ...one } = costOf(await send(method, `/${plain}${target}`, options));
      const { rowsRead: _limited, ...other } = costOf(await send(method, `/${limited}${target}`, options));
      expect(other, method).toEqual(one);
    }
  });

  it("does not keep its limits from being changed, and ends with them", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxRequestsPerSecond>1</MaxRequestsPerSecond>");
    await send("HEAD", `/${bucket}`);
    expect(await statusOf("HEAD", `/${bucket}`)).toEqual([503, "1"]);
    const read = await send("GET", `/${bucket}?quota`);
    expect(await read.text()).toContain("<MaxRequestsPerSecond>1</MaxRequestsPerSecond></QuotaConfiguration>");
    await setQuota(bucket, "<MaxRequestsPerSecond>3</MaxRequestsPerSecond>");
    setSecond(1);
    expect(await statusOf("HEAD", `/${bucket}`)).toEqual(OK);
    expect((await send("DELETE", `/${bucket}?quota`)).status).toBe(204);
    for (let index = 0; index < 5; index += 1) expect(await statusOf("HEAD", `/${bucket}`)).toEqual(OK);
  });

  it("is not inherited by a bucket that is created again under the name, nor is its debt", async () => {
    const bucket = await freshBucket();
    const limits = "<MaxRequestsPerSecond>1</MaxRequestsPerSecond><MaxBytesInPerSecond>1</MaxBytesInPerSecond>";
    await setQuota(bucket, limits);
    expect(await statusOf("PUT", `/${bucket}/a`, { body: "x".repeat(100) })).toEqual(OK);
    setSecond(1);
    expect((await send("DELETE", `/${bucket}/a`)).status).toBe(204);
    setSecond(2);
    expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
    expect((await send("PUT", `/${bucket}`)).status).toBe(200);
    await setQuota(bucket, limits);
    expect(await statusOf("PUT", `/${bucket}/a`, { body: "x" })).toEqual(OK);
  });

  it("is not used up by requests that are denied", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxRequestsPerSecond>1</MaxRequestsPerSecond>");
    for (let index = 0; index < 5; index += 1) {
      expect((await deliver(anonymous("GET", `/${bucket}/a`))).status).toBe(403);
    }
    expect(await statusOf("HEAD", `/${bucket}`)).toEqual(OK);
  });
});

describe("a bucket's rates of bytes", () => {
  it("refuse uploads until a debt is paid, and nothing else", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxBytesInPerSecond>10</MaxBytesInPerSecond>");
    expect(await statusOf("PUT", `/${bucket}/a`, { body: "x".repeat(30) })).toEqual(OK);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: "x" })).toEqual([503, "3"]);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("PUT", `/${bucket}/empty`, { body: "" })).toEqual(OK);
    expect(await statusOf("DELETE", `/${bucket}/empty`)).toEqual([204, null]);
    setSecond(2.05);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: "x" })).toEqual([503, "1"]);
    setSecond(2.2);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: "x" })).toEqual(OK);
  });

  it("charge a body without a length by what is read of it", async () => {
    const bucket = await freshBucket();
    await setQuota(bucket, "<MaxBytesInPerSecond>10</MaxBytesInPerSecond>");
    const body = streamOf([new Uint8Array(20), new Uint8Array(20)]);
    expect(await statusOf("PUT", `/${bucket}/a`, { body })).toEqual(OK);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: streamOf([new Uint8Array(1)]) })).toEqual([503, "4"]);
    expect((await (await send("GET", `/${bucket}/a`)).arrayBuffer()).byteLength).toBe(40);
  });

  it("refuse reads until a debt is paid, and nothing else", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x".repeat(40) });
    await setQuota(bucket, "<MaxBytesOutPerSecond>10</MaxBytesOutPerSecond>");
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual([503, "4"]);
    expect(await statusOf("GET", `/${bucket}?list-type=2`)).toEqual([503, "4"]);
    expect(await statusOf("HEAD", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("PUT", `/${bucket}/b`, { body: "x" })).toEqual(OK);
    setSecond(3.2);
    expect(await statusOf("GET", `/${bucket}/a`, { headers: { range: "bytes=0-0" } })).toEqual([206, null]);
  });

  it("charge an answer without a length by what is sent of it", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "x".repeat(2000) });
    await setQuota(bucket, "<MaxBytesOutPerSecond>100</MaxBytesOutPerSecond>");
    const archive = await send("GET", `/${bucket}?archive=tar.gz`);
    const { byteLength } = await archive.arrayBuffer();
    expect([archive.status, archive.headers.get("content-length")]).toEqual([200, null]);
    expect(byteLength).toBeGreaterThan(100);
    const wait = String(Math.ceil((byteLength - 99) / 100));
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual([503, wait]);
  });
});

describe("a bucket's rates of requests without credentials", () => {
  const PUBLIC = "<Anonymous><MaxRequestsPerSecond>1</MaxRequestsPerSecond></Anonymous>";
  const read = async (bucket: string) => answered(await deliver(anonymous("GET", `/${bucket}/a`)));

  it("are apart from those of other requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "text" });
    await putPolicy(bucket, publicReadPolicy(bucket));
    await setQuota(bucket, `<MaxRequestsPerSecond>2</MaxRequestsPerSecond>${PUBLIC}`);
    expect(await read(bucket)).toEqual(OK);
    expect(await read(bucket)).toEqual([503, "1"]);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual([503, "1"]);
  });

  it("are the bucket's own where it has none for them", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "text" });
    await putPolicy(bucket, publicReadPolicy(bucket));
    await setQuota(bucket, "<MaxRequestsPerSecond>2</MaxRequestsPerSecond>");
    expect(await read(bucket)).toEqual(OK);
    expect(await statusOf("GET", `/${bucket}/a`)).toEqual(OK);
    expect(await read(bucket)).toEqual([503, "1"]);
  });
});

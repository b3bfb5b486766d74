// What each operation may cost, counted and not timed: round trips to D1, rows read and written, coordinator calls and
// blob store calls. Small bodies in the database have budgets of their own (inline-budgets.test.ts).
import { describe, expect, it } from "vitest";

import { anonymous, deliver, ROOT, send, type SendOptions } from "../support/client.ts";
import { costOf, type Cost } from "../support/cost.ts";
import { md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket, putAll as putAllUnder } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { createUpload, PART_MIN_BYTES, putPart } from "../support/multipart.ts";
import { DATABASE_COUNT } from "../support/placement.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { setVersioning, versionedBucket } from "../support/versioning.ts";

/** Puts objects whose bytes are in the blob store. */
async function putAll(bucket: string, objects: Readonly<Record<string, string>>): Promise<void> {
  await putAllUnder(bucket, objects, IN_STORE);
}

/** Sends a request that must succeed and returns its cost. Bodies are stored in the blob store. */
async function cost(method: string, target: string, options: SendOptions = {}, status = 200): Promise<Cost> {
  const response = await send(method, target, options, IN_STORE);
  expect(response.status, `${method} ${target}`).toBe(status);
  await response.arrayBuffer();
  return costOf(response);
}

/** Uploads an object in `parts` parts, the last of one byte, and returns the cost of the completion. */
async function costOfCompletion(
  bucket: string,
  key: string,
  count: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Cost> {
  const uploadId = await createUpload(bucket, key, headers);
  const parts: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const bytes = number < count ? new Uint8Array(PART_MIN_BYTES) : "x";
    const { etag } = await putPart(bucket, key, uploadId, number, bytes, headers);
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
  }
  const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
  return cost("POST", `/${bucket}/${key}?uploadId=${uploadId}`, { body, headers });
}

/** Asserts a cost: exact, except that the rows read have an upper bound. */
function expectCost(actual: Cost, exact: Omit<Cost, "rowsRead">, rowsReadAtMost: number): void {
  const { rowsRead, ...others } = actual;
  expect(others).toEqual(exact);
  // With several databases, a lookup in the first one also asks the registry of buckets.
  expect(rowsRead).toBeLessThanOrEqual(rowsReadAtMost + (DATABASE_COUNT > 1 ? 1 : 0));
}

const READ = { roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 };
const WRITE = { roundTrips: 2, rowsWritten: 1, coordinatorCalls: 1, blobCalls: 1 };

describe("the cost of reading", () => {
  it("GET: one round trip and one blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    for (const headers of [{}, { range: "bytes=1-2" }, { "if-match": md5Hex("12345") }]) {
      const options = { headers };
      const status = "range" in headers ? 206 : 200;
      const uncached = { headers: { ...headers, "cache-control": "no-store" } };
      expectCost(await cost("GET", `/${bucket}/k`, uncached, status), { ...READ, blobCalls: 1 }, 6);
      await putAll(bucket, { k: "12345" });
      expectCost(await cost("GET", `/${bucket}/k`, options, status), { ...READ, blobCalls: 1 }, 6);
      // The edge cache has the bytes now.
      expectCost(await cost("GET", `/${bucket}/k`, options, status), READ, 6);
    }
  });

  it("GET without bytes to send: one round trip and no blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345", empty: "" });
    expectCost(await cost("GET", `/${bucket}/empty`), READ, 6);
    expectCost(await cost("GET", `/${bucket}/k`, { headers: { "if-none-match": "*" } }, 304), READ, 6);
    expectCost(await cost("GET", `/${bucket}/k`, { headers: { "if-match": '"x"' } }, 412), READ, 6);
    expectCost(await cost("GET", `/${bucket}/k`, { headers: { range: "bytes=9-" } }, 416), READ, 6);
    expectCost(await cost("GET", `/${bucket}/missing`, {}, 404), READ, 6);
    expectCost(await cost("GET", `/${bucket}-missing/k`, {}, 404), READ, 6);
  });

  it.each([
    ["as it is", {}],
    ["with a customer's key", keyHeaders(customerKey(1))],
  ])("GET of a multipart object stored %s: every blob read counts, also those read later", async (_, key) => {
    const bucket = await freshBucket();
    await costOfCompletion(bucket, "k", 3, key);
    const uncached = { ...key, "cache-control": "no-store" };
    for (const headers of [uncached, key]) {
      expectCost(await cost("GET", `/${bucket}/k`, { headers }), { ...READ, blobCalls: 3 }, 30);
    }
    expectCost(await cost("HEAD", `/${bucket}/k`, { headers: key }), READ, 30);
    for (const [range, blobCalls] of [
      ["0-1", 1],
      [`0-${PART_MIN_BYTES}`, 2],
      [`0-${2 * PART_MIN_BYTES}`, 3],
      ["-1", 1],
    ] as const) {
      const options = { headers: { ...uncached, range: `bytes=${range}` } };
      expectCost(await cost("GET", `/${bucket}/k`, options, 206), { ...READ, blobCalls }, 30);
    }
    expectCost(
      await cost("GET", `/${bucket}/k?partNumber=2`, { headers: uncached }, 206),
      { ...READ, blobCalls: 1 },
      30,
    );
  });

  it("HEAD: one round trip and no blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "12345" });
    expectCost(await cost("HEAD", `/${bucket}/k`), READ, 6);
    expectCost(await cost("HEAD", `/${bucket}/missing`, {}, 404), READ, 6);
    expectCost(await cost("HEAD", `/${bucket}`), READ, 2);
  });

  it.each([
    [0, "", 4],
    [1, "", 4],
    [30, "", 36],
    [30, "&max-keys=10", 16],
    [30, "&prefix=dir1/", 16],
    [30, "&prefix=dir1/k3", 4],
    [30, "&delimiter=/", 14],
    [30, "&delimiter=k", 14],
    [30, "&delimiter=1/k", 70],
    [30, "&delimiter=/&prefix=dir1/", 50],
  ])(
    "LIST of %i keys with %j: one round trip, and a few rows read for each returned entry",
    async (count, query, rows) => {
      const bucket = await freshBucket();
      const keys = Array.from({ length: count }, (_, index) => `dir${index % 3}/k${Math.floor(index / 3)}`);
      await putAll(bucket, Object.fromEntries(keys.map((key) => [key, ""])));
      expectCost(await cost("GET", `/${bucket}?list-type=2${query}`), READ, rows);
      expectCost(await cost("GET", `/${bucket}?${query.slice(1)}`), READ, rows);
    },
  );

  it.each([
    ["versions", 50],
    ["versions&max-keys=5", 16],
    ["versions&delimiter=/", 32],
    ["uploads", 28],
    ["uploads&max-uploads=5", 14],
    ["uploads&delimiter=/", 20],
  ])(
    "LIST of 40 versions or 20 uploads with %s: one round trip, and a few rows read for each entry",
    async (query, rows) => {
      const bucket = await freshBucket();
      const keys = Array.from({ length: 20 }, (_, index) => `dir${index % 3}/k${index}`);
      const enabled = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
      expect((await send("PUT", `/${bucket}?versioning`, { body: enabled })).status).toBe(200);
      await putAll(bucket, Object.fromEntries(keys.map((key) => [key, "1"])));
      await putAll(bucket, Object.fromEntries(keys.map((key) => [key, "2"])));
      await Promise.all(keys.map((key) => createUpload(bucket, key)));
      expectCost(await cost("GET", `/${bucket}?${query}`), READ, rows);
    },
  );

  it("LIST of a later page: the same as for the first page", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 40 }, (_, index) => `k${String(index).padStart(2, "0")}`);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, ""])));
    for (const startAfter of ["", "k10", "k35"]) {
      expectCost(await cost("GET", `/${bucket}?list-type=2&max-keys=4&start-after=${startAfter}`), READ, 10);
    }
  });
});

describe("the cost of writing", () => {
  it("PUT of a new key: two round trips, one row, one call, one blob", async () => {
    const bucket = await freshBucket();
    expectCost(await cost("PUT", `/${bucket}/k`, { body: "x" }), WRITE, 12);
    expectCost(await cost("PUT", `/${bucket}/empty`), WRITE, 12);
    expectCost(await cost("PUT", `/${bucket}/only`, { headers: { "if-none-match": "*" } }), WRITE, 12);
  });

  it("PUT over an existing key: one more row, for the garbage that it creates", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    for (const headers of [{}, { "if-match": md5Hex("2") }]) {
      const actual = await cost("PUT", `/${bucket}/k`, { body: "2", headers });
      expectCost(actual, { ...WRITE, rowsWritten: 2 }, 40);
    }
  });

  // A suspended bucket replaces its null version, which also becomes garbage.
  it.each([
    ["Enabled", 16],
    ["Suspended", 41],
  ] as const)(
    "PUT in a bucket with versioning %s: one more row, for the version that it replaces, and %i rows read",
    async (status, rowsRead) => {
      const bucket = await versionedBucket();
      await setVersioning(bucket, status);
      expectCost(await cost("PUT", `/${bucket}/k`, { body: "1" }), WRITE, 12);
      expectCost(await cost("PUT", `/${bucket}/k`, { body: "2" }), { ...WRITE, rowsWritten: 2 }, rowsRead);
    },
  );

  it("PUT whose condition fails: one round trip and nothing else", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    const headers = { "if-none-match": "*" };
    expectCost(await cost("PUT", `/${bucket}/k`, { body: "2", headers }, 412), READ, 8);
  });

  it.each([
    ["small", 1, 0],
    ["streamed", 200_000, 1],
  ])(
    "PUT of a %s body whose digest fails: one round trip, no call, and a blob only for a stream",
    async (_, length, blobCalls) => {
      const bucket = await freshBucket();
      const headers = { "x-amz-checksum-crc32": "AAAAAA==" };
      const body = "2".repeat(length);
      expectCost(await cost("PUT", `/${bucket}/k`, { body, headers }, 400), { ...READ, blobCalls }, 8);
    },
  );

  it("DELETE: two round trips, two rows, one call, no blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1" });
    expectCost(await cost("DELETE", `/${bucket}/k`, {}, 204), { ...WRITE, rowsWritten: 2, blobCalls: 0 }, 40);
  });

  it("DELETE of a missing key: one round trip and nothing else", async () => {
    const bucket = await freshBucket();
    expectCost(await cost("DELETE", `/${bucket}/k`, {}, 204), READ, 8);
  });

  it("DeleteObjects: two rows per key and one round trip per coordinator", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 60 }, (_, index) => `key-${index}`);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, ""])));
    const body = `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;
    const headers = { "content-md5": md5Base64(utf8(body)) };
    const shards = 2;
    const { rowsRead, ...others } = await cost("POST", `/${bucket}?delete`, { body, headers });
    expect(others).toEqual({
      roundTrips: 2 + shards,
      rowsWritten: 2 * keys.length,
      coordinatorCalls: shards,
      blobCalls: 0,
    });
    expect(rowsRead).toBeLessThan(30 * keys.length);
    // The keys no longer exist, so only the bucket and the heads are read.
    expectCost(await cost("POST", `/${bucket}?delete`, { body, headers }), { ...READ, roundTrips: 2 }, 200);
  });

  it("concurrent writers of one key: at most a second read and a second commit each", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    const costs = await Promise.all(Array.from({ length: 10 }, () => cost("PUT", `/${bucket}/k`, { body: "x" })));
    for (const { roundTrips, rowsRead: _, ...others } of costs) {
      expect(others).toEqual({ rowsWritten: 2, coordinatorCalls: 1, blobCalls: 1 });
      // A request with an outdated head that shares no queue with a newer one learns it from the failed commit. A lookup
      // that another request sent costs nothing.
      expect([1, 2, 3, 4]).toContain(roundTrips);
    }
  });
});

describe("the cost of copies and renames", () => {
  it("CopyObject: at most three round trips, five rows, one call, no blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "1", over: "2" });
    for (const key of ["new", "over"]) {
      const actual = await cost("PUT", `/${bucket}/${key}`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
      expect(actual).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
      expect(actual.roundTrips).toBeLessThanOrEqual(3);
      expect(actual.rowsWritten).toBeLessThanOrEqual(5);
    }
  });

  it("RenameObject: at most three round trips, five rows, one call, no blob", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "2", over: "3" });
    for (const [source, key] of [
      ["a", "new"],
      ["b", "over"],
    ] as const) {
      const headers = { "x-amz-rename-source": `/${bucket}/${source}`, "x-amz-client-token": crypto.randomUUID() };
      const actual = await cost("PUT", `/${bucket}/${key}?renameObject`, { headers });
      expect(actual).toMatchObject({ coordinatorCalls: 1, blobCalls: 0 });
      expect(actual.roundTrips).toBeLessThanOrEqual(3);
      expect(actual.rowsWritten).toBeLessThanOrEqual(5);
    }
  });
});

describe("the cost of an upload in parts", () => {
  it("UploadPart: two round trips, one row, one blob, no call", async () => {
    const bucket = await freshBucket();
    const created = await send("POST", `/${bucket}/k?uploads`);
    const uploadId = textOf(readXml(await created.text()), "UploadId") ?? "";
    const part = await cost("PUT", `/${bucket}/k?uploadId=${uploadId}&partNumber=1`, { body: "x" });
    expectCost(part, { ...WRITE, coordinatorCalls: 0 }, 20);
  });

  it.each([1, 2, 4])(
    "CompleteMultipartUpload of %i parts: two round trips, four rows and one per part, one call, one blob",
    async (count) => {
      const rowsReadAtMost = 60 + 20 * count;
      for (const bucket of [await freshBucket(), await versionedBucket()]) {
        const exact = { ...WRITE, rowsWritten: 4 + count };
        expectCost(await costOfCompletion(bucket, "k", count), exact, rowsReadAtMost);
        const over = { ...exact, rowsWritten: exact.rowsWritten + 1 };
        expectCost(await costOfCompletion(bucket, "k", count), over, rowsReadAtMost);
      }
    },
  );
});

describe("the counts", () => {
  it("are returned when the setting enables them, on errors too, and not otherwise", async () => {
    const bucket = await freshBucket();
    const shown = await send("GET", `/${bucket}/missing`);
    expect(shown.headers.get("server-timing")).not.toBeNull();
    const hidden = await send("GET", `/${bucket}/missing`, {}, { SERVER_TIMING: "false" });
    expect(hidden.headers.get("server-timing")).toBeNull();
    expect((await deliver(anonymous("PUT", "/"), { SERVER_TIMING: "" })).headers.get("server-timing")).toBeNull();
  });

  it.each(["x", ROOT.accessKeyId])("are zero for a request that is denied %s", async (accessKeyId) => {
    const response = await send("GET", "/some-bucket/k", { credentials: { accessKeyId, secretAccessKey: "y" } });
    expect(response.status).toBe(403);
    expect(costOf(response)).toEqual({ ...READ, roundTrips: 0, rowsRead: 0 });
  });
});

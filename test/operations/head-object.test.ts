import { describe, expect, it } from "vitest";

import { anonymous, deliver, send, signed, type SendOptions } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Hex, noise } from "../support/digests.ts";
import { expectAnswerHeaders, expectHeadError } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";

const BODY = noise(1000);
const ETAG = md5Hex(BODY);

async function objectOf(body: Uint8Array | string = BODY, headers: SendOptions["headers"] = {}): Promise<string> {
  const bucket = await freshBucket();
  expect((await send("PUT", `/${bucket}/k`, { body, headers })).status).toBe(200);
  return `/${bucket}/k`;
}

/** The headers that differ between responses. */
const PASSING = new Set(["date", "x-amz-request-id", "x-amz-id-2", "server-timing", "x-cache", "age"]);

function lastingHeaders(response: Response): Record<string, string> {
  return Object.fromEntries(Array.from(response.headers).filter(([name]) => !PASSING.has(name)));
}

describe("HeadObject", () => {
  it.each([
    ["", {}],
    ["", { "x-amz-checksum-mode": "ENABLED" }],
    ["", { range: "bytes=0-9" }],
    ["", { range: "bytes=-1", "x-amz-checksum-mode": "ENABLED" }],
    ["?partNumber=1", { "x-amz-checksum-mode": "ENABLED" }],
    ["?versionId=null", {}],
    ["", { "if-match": `"${ETAG}"` }],
    ["", { "if-none-match": `"${ETAG}"` }],
    ["?response-content-type=text%2Fplain&response-cache-control=no-cache", {}],
  ] as const)("answers with the status and headers of GET, and no body: %s %j", async (query, headers) => {
    const target = await objectOf(BODY, {
      "content-type": "image/png",
      "cache-control": "max-age=9",
      "x-amz-meta-a": "1",
      "x-amz-storage-class": "STANDARD_IA",
    });
    const get = await send("GET", `${target}${query}`, { headers });
    await get.arrayBuffer();
    const head = await send("HEAD", `${target}${query}`, { headers });
    expect(head.status).toBe(get.status);
    expect(lastingHeaders(head)).toEqual(lastingHeaders(get));
    expect(head.body).toBeNull();
    expectAnswerHeaders(head);
  });

  it("returns the length of the object without its bytes", async () => {
    const head = await send("HEAD", await objectOf());
    expect(head.status).toBe(200);
    expect(lastingHeaders(head)).toMatchObject({
      "content-length": "1000",
      etag: `"${ETAG}"`,
      "accept-ranges": "bytes",
    });
    expect((await send("HEAD", await objectOf(""))).headers.get("content-length")).toBe("0");
  });

  it("returns the length and position of a range", async () => {
    const head = await send("HEAD", await objectOf(), { headers: { range: "bytes=10-19" } });
    expect(head.status).toBe(206);
    expect(head.headers.get("content-length")).toBe("10");
    expect(head.headers.get("content-range")).toBe("bytes 10-19/1000");
  });

  it("returns the checksum when requested", async () => {
    const target = await objectOf();
    const head = await send("HEAD", target, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", BODY));
    expect((await send("HEAD", target)).headers.get("x-amz-checksum-crc64nvme")).toBeNull();
  });

  it("never calls the blob store", async () => {
    const target = await objectOf();
    for (const headers of [{}, { range: "bytes=0-9" }, { "if-none-match": "*" }, { "if-match": '"x"' }]) {
      expect(costOf(await send("HEAD", target, { headers }))).toMatchObject({ roundTrips: 1, blobCalls: 0 });
    }
  });

  it("returns 412 when a condition fails", async () => {
    const target = await objectOf();
    await expectHeadError(await send("HEAD", target, { headers: { "if-match": '"x"' } }), 412);
    const past = { "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT" };
    await expectHeadError(await send("HEAD", target, { headers: past }), 412);
  });

  it("returns 416 with the object's size when the range is outside", async () => {
    const response = await send("HEAD", await objectOf(), { headers: { range: "bytes=1000-" } });
    expect(response.headers.get("content-range")).toBe("bytes */1000");
    await expectHeadError(response, 416);
  });

  it.each(["?partNumber=2", "?partNumber=0", "?versionId=", "?versionId=x"])("returns 4xx for %s", async (query) => {
    await expectHeadError(await send("HEAD", `${await objectOf()}${query}`), query === "?partNumber=2" ? 416 : 400);
  });

  it("returns 404 for a missing object, version or bucket", async () => {
    const target = await objectOf();
    await expectHeadError(await send("HEAD", `${target}-not`), 404);
    await expectHeadError(await send("HEAD", `${target}?versionId=${"0".repeat(32)}`), 404);
    await expectHeadError(await send("HEAD", `/${freshBucketName()}/k`), 404);
    await send("DELETE", target);
    await expectHeadError(await send("HEAD", target), 404);
  });

  it("has a signature of its own, different from GET's", async () => {
    const target = await objectOf();
    const asGet = await signed("GET", target);
    await expectHeadError(await deliver(new Request(asGet.url, { method: "HEAD", headers: asGet.headers })), 403);
  });

  it("returns 403 to anonymous requests", async () => {
    await expectHeadError(await deliver(anonymous("HEAD", await objectOf())), 403);
  });
});

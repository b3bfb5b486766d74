// A Cairn whose blobs are in a bucket of another Cairn.
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { deliver, ENDPOINT, ROOT, send, withBody, type RequestScope } from "../support/client.ts";
import { expectBytes, noise } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { bucketId } from "../support/stored-state.ts";

const HOUR_MS = 3_600_000;

let inner = "";
let scope: RequestScope = {};
beforeAll(async () => {
  inner = await freshBucket();
  scope = {
    BLOB_STORE_ENDPOINT: ENDPOINT,
    BLOB_STORE_BUCKET: inner,
    BLOB_STORE_ACCESS_KEY_ID: ROOT.accessKeyId,
    BLOB_STORE_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const request = input instanceof Request ? input : new Request(input);
    const { body } = request;
    return deliver(body === null ? request : withBody(request, body.pipeThrough(new TransformStream())));
  });
});
afterAll(() => {
  vi.restoreAllMocks();
});

async function innerKeys(prefix: string): Promise<number> {
  const response = await send("GET", `/${inner}?list-type=2&prefix=${prefix}/`);
  return (await response.text()).split("<Contents>").length - 1;
}

describe("a Cairn with an S3 store for its blobs", () => {
  it("puts, reads, copies, completes, deletes and collects", async () => {
    const bucket = await freshBucket();
    const id = await bucketId(bucket);
    const now = Date.now() + 48 * HOUR_MS;
    // What other tests left in R2 is collected there.
    await runPass(collectGarbage, now, {});
    const bytes = noise(100_000);
    expect((await send("PUT", `/${bucket}/a`, { body: bytes }, scope)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/a`, {}, scope), bytes);
    const range = await send("GET", `/${bucket}/a`, { headers: { range: "bytes=500-1499" } }, scope);
    expect(range.status).toBe(206);
    await expectBytes(range, bytes.slice(500, 1500));
    const copy = { headers: { "x-amz-copy-source": `/${bucket}/a` } };
    expect((await send("PUT", `/${bucket}/b`, copy, scope)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/b`, {}, scope), bytes);
    const begun = await send("POST", `/${bucket}/m?uploads`, {}, scope);
    const uploadId = textOf(readXml(await begun.text()), "UploadId") ?? "";
    const part = await send("PUT", `/${bucket}/m?partNumber=1&uploadId=${uploadId}`, { body: bytes }, scope);
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.get("etag")}</ETag></Part></CompleteMultipartUpload>`;
    expect((await send("POST", `/${bucket}/m?uploadId=${uploadId}`, { body }, scope)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/m`, {}, scope), bytes);
    expect(await innerKeys(id)).toBeGreaterThanOrEqual(2);
    for (const key of ["a", "b", "m"]) await send("DELETE", `/${bucket}/${key}`, {}, scope);
    await runPass(collectGarbage, now, scope);
    expect(await innerKeys(id)).toBe(0);
  });
});

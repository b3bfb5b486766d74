// Uploads without a length, as `curl -T -` sends them.
import { describe, expect, it } from "vitest";

import { collectGarbage as collector } from "../../src/jobs/collect-garbage.ts";
import { anonymous, deliver, ENDPOINT, presigned, send, streamOf } from "../support/client.ts";
import { checksum, expectBytes, md5Base64, md5Hex, noise, sha256Hex, utf8 } from "../support/digests.ts";
import { customerKey, keyHeaders } from "../support/encryption.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { createUpload } from "../support/multipart.ts";
import { expectBalanced } from "../support/rows.ts";
import { expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { chunks } from "../unit/bytes/seeded.ts";

const SLICE = 8 * 1024 ** 2;
const LARGE = noise(2 * SLICE + 12_345, 9);

function stream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return streamOf(chunks(bytes, [1_000_000, 65_537]));
}

interface Refusal {
  readonly status: number;
  readonly code: string;
}

async function expectRefused(response: Response, { status, code }: Refusal): Promise<void> {
  expect(await response.text()).toContain(`<Code>${code}</Code>`);
  expect(response.status).toBe(status);
}

async function blobCount(bucket: string): Promise<number> {
  return Object.keys((await storedStateOf(bucket)).blobs).length;
}

describe("a body without a length", () => {
  it.each([
    ["no bytes", 0, 1],
    ["a few bytes", 3, 1],
    ["one slice", SLICE, 1],
    ["a byte more than a slice", SLICE + 1, 2],
    ["several slices", LARGE.length, 3],
  ])("of %s is stored with its MD5 and checksum", async (_what, length, blobs) => {
    const bucket = await freshBucket();
    const body = LARGE.subarray(0, length);
    const put = await send("PUT", `/${bucket}/k`, { body: stream(body), headers: { "x-amz-meta-a": "b" } });
    expect(put.status, await put.text()).toBe(200);
    expect(put.headers.get("etag")).toBe(`"${md5Hex(body)}"`);
    expect(put.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", body));
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("content-length")).toBe(String(length));
    expect(head.headers.get("x-amz-meta-a")).toBe("b");
    await expectBytes(await send("GET", `/${bucket}/k`), body);
    // The proof of several slices is a blob as well.
    expect(await blobCount(bucket)).toBe(blobs === 1 ? 1 : blobs + 1);
    await expectBalanced(bucket);
  });

  it("is read by ranges across its slices, copied, and collected when it is deleted", async () => {
    const bucket = await freshBucket();
    expect((await send("PUT", `/${bucket}/k`, { body: stream(LARGE) })).status).toBe(200);
    const range = await send("GET", `/${bucket}/k`, { headers: { range: `bytes=${SLICE - 5}-${SLICE + 5}` } });
    await expectBytes(range, LARGE.subarray(SLICE - 5, SLICE + 6));
    const copy = await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    expect(copy.status).toBe(200);
    await send("DELETE", `/${bucket}/k`);
    await expectBytes(await send("GET", `/${bucket}/copy`), LARGE);
    await send("DELETE", `/${bucket}/copy`);
    await expectBalanced(bucket);
    await runPass(collector, Date.now() + 48 * 3_600_000);
    expect((await storedStateOf(bucket)).blobs).toEqual({});
  });

  it.each([
    ["small", LARGE.subarray(0, 1000)],
    ["large", LARGE],
  ])("that is %s is verified by what its headers announce", async (_what, body) => {
    const bucket = await freshBucket();
    for (const headers of [
      { "x-amz-checksum-xxhash3": checksum("XXHASH3", body) },
      { "x-amz-checksum-sha256": checksum("SHA256", body), "content-md5": md5Base64(body) },
      { "x-amz-content-sha256": sha256Hex(body) },
    ]) {
      const put = await send("PUT", `/${bucket}/k`, { body: stream(body), headers });
      expect(put.status, await put.text()).toBe(200);
    }
    const other = utf8("another");
    for (const [headers, code] of [
      [{ "x-amz-checksum-xxhash3": checksum("XXHASH3", other) }, "BadDigest"],
      [{ "x-amz-checksum-sha256": checksum("SHA256", other) }, "BadDigest"],
      [{ "content-md5": md5Base64(other) }, "BadDigest"],
      [{ "x-amz-content-sha256": sha256Hex(other) }, "XAmzContentSHA256Mismatch"],
    ] as const) {
      await expectNoTrace(bucket, async () =>
        expectRefused(await send("PUT", `/${bucket}/k`, { body: stream(body), headers }), { status: 400, code }),
      );
    }
  });

  it("that breaks off leaves nothing, however much of it arrived", async () => {
    const bucket = await freshBucket();
    for (const length of [0, 1000, LARGE.length]) {
      await expectNoTrace(bucket, async () => {
        const body = streamOf(chunks(LARGE.subarray(0, length), [1_000_000]), new Error("gone"));
        await expectRefused(await send("PUT", `/${bucket}/k`, { body }), { status: 400, code: "IncompleteBody" });
      });
    }
  });

  it("is refused by a failed condition before it is read", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "old" });
    const headers = { "if-none-match": "*" };
    await expectNoTrace(bucket, async () =>
      expectRefused(await send("PUT", `/${bucket}/k`, { body: stream(LARGE), headers }), {
        status: 412,
        code: "PreconditionFailed",
      }),
    );
  });

  it("is encrypted with a customer's key, slice by slice", async () => {
    const bucket = await freshBucket();
    const headers = keyHeaders(customerKey(3));
    const put = await send("PUT", `/${bucket}/k`, { body: stream(LARGE), headers });
    expect(put.status, await put.text()).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`, { headers }), LARGE);
    expect((await send("GET", `/${bucket}/k`)).status).toBe(400);
  });

  it("is stored by a presigned URL", async () => {
    const bucket = await freshBucket();
    const { url } = await presigned("PUT", `/${bucket}/k`);
    const request = anonymous("PUT", url.slice(ENDPOINT.length), { body: stream(LARGE) });
    expect((await deliver(request)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`), LARGE);
    await expectBalanced(bucket);
  });

  it("is refused as a part, as a document and beside envelope headers", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { body: stream(utf8("x")) });
    await expectRefused(part, { status: 411, code: "MissingContentLength" });
    const document = await send("PUT", `/${bucket}?tagging`, { body: stream(utf8("<Tagging/>")) });
    await expectRefused(document, { status: 411, code: "MissingContentLength" });
    for (const [name, value] of [
      ["content-encoding", "aws-chunked"],
      ["x-amz-trailer", "x-amz-checksum-crc32"],
      ["x-amz-decoded-content-length", "1"],
    ] as const) {
      const put = await send("PUT", `/${bucket}/k`, { body: stream(utf8("x")), headers: { [name]: value } });
      await expectRefused(put, { status: 400, code: "InvalidArgument" });
    }
  });
});

// Multipart uploads with SSE-C: every part sends the key, and each part is encrypted separately.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { FRAME_BYTES, FrameLayout } from "../../src/bytes/frame-layout.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Hex } from "../support/digests.ts";
import { customerKey, encryptionShownFor, keyHeaders, shownEncryption } from "../support/encryption.ts";
import { expectHeadError, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import {
  completionOf,
  createUpload,
  joined,
  largePart,
  PART_MIN_BYTES,
  putPart,
  sendCompletion,
  sendPart,
  type ListedPart,
} from "../support/multipart.ts";
import { namesOf, readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";

const KEY = customerKey(1);
const WITH_KEY = keyHeaders(KEY);
const WITH_OTHER = keyHeaders(customerKey(2));
/** 12 MB, split at 5 MiB as clients do, and once at an unusual offset. */
const PARTS = [largePart(31), largePart(32, 12_345), largePart(33).slice(0, 2_000_000)];
const BODY = joined(PARTS);

/** Uploads the parts with the key, without the completion. */
async function uploaded(bucket: string, key: string): Promise<{ uploadId: string; listed: ListedPart[] }> {
  const uploadId = await createUpload(bucket, key, WITH_KEY);
  const listed: ListedPart[] = [];
  for (const [index, part] of PARTS.entries()) {
    listed.push(await putPart(bucket, key, uploadId, index + 1, part, WITH_KEY));
  }
  return { uploadId, listed };
}

async function completed(): Promise<string> {
  const bucket = await freshBucket();
  const { uploadId, listed } = await uploaded(bucket, "k");
  expect((await sendCompletion(bucket, "k", uploadId, listed, WITH_KEY)).status).toBe(200);
  return bucket;
}

describe("an encrypted multipart upload", () => {
  it("becomes an object that is readable only with the key", async () => {
    const bucket = await freshBucket();
    const created = await send("POST", `/${bucket}/k?uploads`, { headers: WITH_KEY });
    expect(shownEncryption(created)).toEqual(encryptionShownFor(KEY));
    const uploadId = textOf(readXml(await created.text()), "UploadId") ?? "";
    const listed: ListedPart[] = [];
    for (const [index, part] of PARTS.entries()) {
      const response = await sendPart(bucket, "k", uploadId, index + 1, part, WITH_KEY);
      expect(shownEncryption(response)).toEqual(encryptionShownFor(KEY));
      expect(response.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", part));
      const etag = response.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
      expect(etag).not.toBe(`"${md5Hex(part)}"`);
      listed.push({ partNumber: index + 1, etag });
    }
    const completion = await sendCompletion(bucket, "k", uploadId, listed, WITH_KEY);
    expect(completion.status).toBe(200);
    const root = readXml(await completion.text());
    expect(textOf(root, "ETag")).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(textOf(root, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", BODY));

    const read = await send("GET", `/${bucket}/k`, { headers: WITH_KEY });
    expect(read.headers.get("content-length")).toBe(String(BODY.length));
    expect(shownEncryption(read)).toEqual(encryptionShownFor(KEY));
    expect(costOf(read).blobCalls).toBeLessThanOrEqual(PARTS.length);
    await expectBytes(read, BODY);
    await expectS3Error(await send("GET", `/${bucket}/k`), { status: 400, code: "InvalidRequest" });
    await expectS3Error(await send("GET", `/${bucket}/k`, { headers: WITH_OTHER }), {
      status: 403,
      code: "AccessDenied",
    });
    await expectHeadError(await send("HEAD", `/${bucket}/k`, { headers: WITH_OTHER }), 403);
    await expectBalanced(bucket);
  });

  it("stores each part in a separately encrypted blob", async () => {
    const bucket = await completed();
    const { blobs } = await storedStateOf(bucket);
    const sealed = Object.keys(blobs).filter((blobId) => !blobId.endsWith("-proof"));
    const sizes = PARTS.map((part) => new FrameLayout(part.length).encryptedLength).toSorted((a, b) => a - b);
    expect(sealed.map((blobId) => blobs[blobId] ?? 0).toSorted((a, b) => a - b)).toEqual(sizes);
    const starts = [];
    for (const blobId of sealed) {
      const blob = await env.BLOBS.get(blobId, { range: { offset: 0, length: 64 } });
      starts.push(String(await blob?.bytes()));
    }
    expect(new Set(starts).size).toBe(PARTS.length);
  });

  it.each([
    [5_242_870, 5_242_890],
    [0, 20],
    [PART_MIN_BYTES, PART_MIN_BYTES],
    [PART_MIN_BYTES + FRAME_BYTES - 3, PART_MIN_BYTES + FRAME_BYTES + 3],
    [PART_MIN_BYTES - 100_000, 2 * PART_MIN_BYTES + 12_345 + 100_000],
    [BODY.length - 1, BODY.length - 1],
    [2 * PART_MIN_BYTES + 12_344, BODY.length - 1],
  ])("returns bytes %i to %i, across frames and parts", async (first, last) => {
    const bucket = await completed();
    const read = await send("GET", `/${bucket}/k`, { headers: { ...WITH_KEY, range: `bytes=${first}-${last}` } });
    expect(read.status).toBe(206);
    expect(read.headers.get("content-range")).toBe(`bytes ${first}-${last}/${BODY.length}`);
    await expectBytes(read, BODY.slice(first, last + 1));
  });

  it("returns each of its parts and lists them", async () => {
    const bucket = await completed();
    for (const [index, part] of PARTS.entries()) {
      const read = await send("GET", `/${bucket}/k?partNumber=${index + 1}`, { headers: WITH_KEY });
      expect(read.status).toBe(206);
      expect(read.headers.get("x-amz-mp-parts-count")).toBe("3");
      await expectBytes(read, part);
    }
    const headers = { ...WITH_KEY, "x-amz-object-attributes": "ObjectParts,ObjectSize" };
    const attributes = readXml(await (await send("GET", `/${bucket}/k?attributes`, { headers })).text());
    expect(namesOf(attributes)).toEqual(["ObjectParts", "ObjectSize"]);
    expect(textOf(attributes, "ObjectSize")).toBe(String(BODY.length));
  });

  it.each(["", "only"])("with the single part %j is read from the part's blob", async (body) => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", WITH_KEY);
    const part = await putPart(bucket, "k", uploadId, 7, body, WITH_KEY);
    expect((await sendCompletion(bucket, "k", uploadId, [part], WITH_KEY)).status).toBe(200);
    await expectBytes(await send("GET", `/${bucket}/k`, { headers: WITH_KEY }), body);
    const { objects, blobs } = await storedStateOf(bucket);
    expect(objects["k"]?.blob_id).toBeNull();
    const sealed = Object.keys(blobs).filter((blobId) => !blobId.endsWith("-proof"));
    expect(sealed.map((blobId) => blobs[blobId])).toEqual([new FrameLayout(body.length).encryptedLength]);
    await expectBalanced(bucket);
  });

  it("breaks off at the first blob that fails authentication", async () => {
    const bucket = await completed();
    const { blobs } = await storedStateOf(bucket);
    const middle = new FrameLayout(PART_MIN_BYTES + 12_345).encryptedLength;
    const blobId = Object.keys(blobs).find((id) => blobs[id] === middle) ?? "";
    const bytes = (await (await env.BLOBS.get(blobId))?.bytes()) ?? new Uint8Array();
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await env.BLOBS.put(blobId, bytes);
    const read = await send("GET", `/${bucket}/k`, { headers: WITH_KEY });
    await expect(read.arrayBuffer()).rejects.toThrow();
    const range = { ...WITH_KEY, range: `bytes=0-${PART_MIN_BYTES}` };
    await expectBytes(await send("GET", `/${bucket}/k`, { headers: range }), BODY.slice(0, PART_MIN_BYTES + 1));
  });
});

describe("a part", () => {
  it("requires its upload's key, and rejects one when the upload has none", async () => {
    const bucket = await freshBucket();
    const sealed = await createUpload(bucket, "sealed", WITH_KEY);
    const plain = await createUpload(bucket, "plain");
    await expectUntouched(bucket, async () => {
      await expectS3Error(await sendPart(bucket, "sealed", sealed, 1, "x"), {
        status: 400,
        code: "InvalidRequest",
        message:
          "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.",
      });
      await expectS3Error(await sendPart(bucket, "sealed", sealed, 1, "x", WITH_OTHER), {
        status: 400,
        code: "InvalidRequest",
        message: "The provided encryption parameters did not match the ones used originally.",
      });
      await expectS3Error(await sendPart(bucket, "plain", plain, 1, "x", WITH_KEY), {
        status: 400,
        code: "InvalidRequest",
        message:
          "The multipart upload initiate did not request encryption. Please resend the request without sending encryption parameters.",
      });
    });
    const response = await sendPart(bucket, "plain", plain, 1, "x");
    expect(shownEncryption(response)).toEqual(encryptionShownFor(undefined));
  });

  it("verifies its own checksum", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k", { ...WITH_KEY, "x-amz-checksum-algorithm": "SHA256" });
    const wrong = { ...WITH_KEY, "x-amz-checksum-sha256": checksum("SHA256", new Uint8Array(3)) };
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendPart(bucket, "k", uploadId, 1, "body", wrong), { status: 400, code: "BadDigest" }),
    );
  });
});

describe("a completion", () => {
  it("accepts the upload's key and no other, and returns the checksum with the key only", async () => {
    const bucket = await freshBucket();
    const { uploadId, listed } = await uploaded(bucket, "k");
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendCompletion(bucket, "k", uploadId, listed, WITH_OTHER), {
        status: 400,
        code: "InvalidRequest",
        message: "The provided encryption parameters did not match the ones used originally.",
      }),
    );
    const withKey = await sendCompletion(bucket, "k", uploadId, listed, WITH_KEY);
    expect(withKey.status).toBe(200);
    expect(shownEncryption(withKey)).toEqual(encryptionShownFor(KEY));
    const again = await sendCompletion(bucket, "k", uploadId, listed, WITH_KEY);
    const answer = await withKey.text();
    expect(await again.text()).toBe(answer);
    const withoutKey = await sendCompletion(bucket, "k", uploadId, listed);
    expect(withoutKey.status).toBe(200);
    expect(shownEncryption(withoutKey)).toEqual({});
    expect(await withoutKey.text()).toBe(answer.replace(/<ChecksumCRC64NVME>.*<\/ChecksumType>/, ""));
  });

  it("of an upload without a key reports the default encryption, also when repeated", async () => {
    const bucket = await freshBucket();
    const uploadId = await createUpload(bucket, "k");
    const part = await putPart(bucket, "k", uploadId, 1, "x");
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("POST", `/${bucket}/k?uploadId=${uploadId}`, { body: completionOf([part]) });
      expect(response.status).toBe(200);
      expect(shownEncryption(response)).toEqual(encryptionShownFor(undefined));
    }
  });
});

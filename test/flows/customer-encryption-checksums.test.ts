// Checksums of objects that a customer's key encrypts: only requests with the key return them, and no store holds them plain.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { checksum, noise } from "../support/digests.ts";
import { customerKey, keyHeaders, sourceKeyHeaders } from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, sendPart } from "../support/multipart.ts";
import { rowsOf } from "../support/rows.ts";

const KEY = customerKey(1);
const WITH_KEY = keyHeaders(KEY);
const BODY = noise(1000, 7);
const BAD_DIGEST = { code: "BadDigest", status: 400 };
const KEY_MISSING = { code: "InvalidRequest", status: 400 };
const CRC32 = checksum("CRC32", BODY);

/** Asserts that no row of a bucket contains a text. */
async function expectNotStored(bucket: string, text: string): Promise<void> {
  expect(JSON.stringify(await rowsOf(bucket))).not.toContain(text);
}

async function shownChecksum(target: string, headers: Readonly<Record<string, string>>): Promise<string | null> {
  const head = await send("HEAD", target, { headers: { ...headers, "x-amz-checksum-mode": "ENABLED" } });
  expect(head.status).toBe(200);
  return head.headers.get("x-amz-checksum-crc32");
}

describe("the checksum of an object with a customer's key", () => {
  it("is returned with the key and stored only encrypted", async () => {
    const bucket = await freshBucket();
    const headers = { ...WITH_KEY, "x-amz-checksum-crc32": CRC32 };
    const put = await send("PUT", `/${bucket}/k`, { body: BODY, headers });
    expect(put.headers.get("x-amz-checksum-crc32")).toBe(CRC32);
    await expectNotStored(bucket, CRC32);
    expect(await shownChecksum(`/${bucket}/k`, WITH_KEY)).toBe(CRC32);
    const attributes = await send("GET", `/${bucket}/k?attributes`, {
      headers: { ...WITH_KEY, "x-amz-object-attributes": "Checksum" },
    });
    expect(await attributes.text()).toContain(`<ChecksumCRC32>${CRC32}</ChecksumCRC32>`);
  });

  it("is the same after a rename, and that of the bytes after a copy to another key or to none", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/a`, { body: BODY, headers: { ...WITH_KEY, "x-amz-checksum-crc32": CRC32 } });
    const renamed = await send("PUT", `/${bucket}/b`, { headers: { "x-amz-rename-source": "/a" } });
    expect(renamed.status).toBe(200);
    expect(await shownChecksum(`/${bucket}/b`, WITH_KEY)).toBe(CRC32);
    const source = { "x-amz-copy-source": `${bucket}/b`, ...sourceKeyHeaders(KEY) };
    const other = keyHeaders(customerKey(2));
    const copy = await send("PUT", `/${bucket}/c`, { headers: { ...source, ...other } });
    expect(await copy.text()).toContain(`<ChecksumCRC32>${CRC32}</ChecksumCRC32>`);
    expect(await shownChecksum(`/${bucket}/c`, other)).toBe(CRC32);
    await expectNotStored(bucket, CRC32);
    expect((await send("PUT", `/${bucket}/d`, { headers: source })).status).toBe(200);
    expect(await shownChecksum(`/${bucket}/d`, {})).toBe(CRC32);
  });
});

describe("checksums of parts with a customer's key", () => {
  async function uploaded(bucket: string, type: "COMPOSITE" | "FULL_OBJECT") {
    const uploadId = await createUpload(bucket, "k", {
      ...WITH_KEY,
      "x-amz-checksum-algorithm": "CRC32",
      "x-amz-checksum-type": type,
    });
    const part = await sendPart(bucket, "k", uploadId, 1, BODY, { ...WITH_KEY, "x-amz-checksum-crc32": CRC32 });
    expect(part.headers.get("x-amz-checksum-crc32")).toBe(CRC32);
    await expectNotStored(bucket, CRC32);
    return { uploadId, etag: part.headers.get("etag") ?? "" };
  }

  it("are verified by a completion with the key, which returns the object's checksum", async () => {
    const bucket = await freshBucket();
    const { uploadId, etag } = await uploaded(bucket, "COMPOSITE");
    const wrong = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>`;
    const target = `/${bucket}/k?uploadId=${uploadId}`;
    await expectS3Error(await send("POST", target, { body: wrong, headers: WITH_KEY }), BAD_DIGEST);
    const body = wrong.replace("AAAAAA==", CRC32);
    const completed = await send("POST", target, { body, headers: WITH_KEY });
    const shown = /<ChecksumCRC32>([^<]+)</.exec(await completed.text())?.[1] ?? "";
    expect(shown).toMatch(/-1$/);
    expect(await shownChecksum(`/${bucket}/k`, WITH_KEY)).toBe(shown);
    const attributes = await send("GET", `/${bucket}/k?attributes`, {
      headers: { ...WITH_KEY, "x-amz-object-attributes": "ObjectParts,Checksum" },
    });
    expect(await attributes.text()).toContain(`<ChecksumCRC32>${CRC32}</ChecksumCRC32>`);
    await expectNotStored(bucket, CRC32);
    await expectNotStored(bucket, shown.replace(/-1$/, ""));
  });

  it("cannot be verified without the key: a completion that lists them is refused, one that lists none succeeds", async () => {
    const bucket = await freshBucket();
    const { uploadId, etag } = await uploaded(bucket, "FULL_OBJECT");
    const target = `/${bucket}/k?uploadId=${uploadId}`;
    const listing = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag><ChecksumCRC32>${CRC32}</ChecksumCRC32></Part></CompleteMultipartUpload>`;
    await expectS3Error(await send("POST", target, { body: listing }), KEY_MISSING);
    const body = listing.replace(/<ChecksumCRC32>.*<\/ChecksumCRC32>/, "");
    const completed = await send("POST", target, { body });
    expect(completed.status).toBe(200);
    expect(await completed.text()).not.toContain("ChecksumCRC32");
    expect(await shownChecksum(`/${bucket}/k`, WITH_KEY)).toBeNull();
  });
});

// The parts of an object survive every copy and move, and a single part counts as a part.
import { describe, expect, it } from "vitest";

import type { ChecksumAlgorithm } from "../../src/protocol/core/checksums.ts";
import { send } from "../support/client.ts";
import { checksum, expectBytes, utf8 } from "../support/digests.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload, largePart, putPart, sendCompletion } from "../support/multipart.ts";
import { childrenOf, plain, readXml, textOf } from "../support/read-xml.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { setVersioning } from "../support/versioning.ts";

interface UploadedPart {
  readonly number: number;
  readonly body: Uint8Array;
}

const ONE: readonly UploadedPart[] = [{ number: 1, body: utf8("one part") }];
const ONE_OF_ANOTHER_NUMBER: readonly UploadedPart[] = [{ number: 7, body: utf8("the seventh part") }];
const EMPTY: readonly UploadedPart[] = [{ number: 1, body: new Uint8Array(0) }];
const TWO: readonly UploadedPart[] = [
  { number: 2, body: largePart(1) },
  { number: 5, body: utf8("last") },
];

/** Uploads the object `k` in parts. */
async function upload(
  bucket: string,
  parts: readonly UploadedPart[],
  algorithm: ChecksumAlgorithm,
  type: "COMPOSITE" | "FULL_OBJECT",
): Promise<void> {
  const headers = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
  const uploadId = await createUpload(bucket, "k", headers);
  const listed = [];
  for (const { number, body } of parts) listed.push(await putPart(bucket, "k", uploadId, number, body));
  const completed = await sendCompletion(bucket, "k", uploadId, listed);
  expect(completed.status, await completed.text()).toBe(200);
}

/** Asserts that an object reports its parts: in its ETag, in its attributes and in reads by part number. */
async function expectParts(
  target: string,
  parts: readonly UploadedPart[],
  algorithm: ChecksumAlgorithm,
  type: "COMPOSITE" | "FULL_OBJECT",
): Promise<void> {
  const at = (query: string): string => `${target}${target.includes("?") ? "&" : "?"}${query}`;
  const size = parts.reduce((sum, { body }) => sum + body.length, 0);
  const head = await send("HEAD", target, { headers: { "x-amz-checksum-mode": "ENABLED" } });
  expect(head.status).toBe(200);
  expect(head.headers.get("etag")).toMatch(new RegExp(`^"[0-9a-f]{32}-${parts.length}"$`));
  expect(head.headers.get("content-length")).toBe(String(size));
  expect(head.headers.get("x-amz-checksum-type")).toBe(type);
  const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
  const whole = head.headers.get(header) ?? "";
  if (type === "COMPOSITE") expect(whole).toMatch(new RegExp(`-${parts.length}$`));

  const answer = await send("GET", at("attributes"), {
    headers: { "x-amz-object-attributes": "ObjectParts,Checksum,ObjectSize" },
  });
  const attributes = readXml(await answer.text());
  const shown = parts.map(({ number, body }) => ({
    PartNumber: String(number),
    Size: String(body.length),
    [`Checksum${algorithm}`]: checksum(algorithm, body),
  }));
  const [objectParts] = childrenOf(attributes, "ObjectParts");
  if (objectParts === undefined) throw new Error("no ObjectParts");
  expect(textOf(objectParts, "PartsCount")).toBe(String(parts.length));
  expect(childrenOf(objectParts, "Part").map(plain)).toEqual(type === "COMPOSITE" ? shown : []);
  expect(childrenOf(attributes, "Checksum").map(plain)).toEqual([
    { [`Checksum${algorithm}`]: whole.replace(/-\d+$/, ""), ChecksumType: type },
  ]);

  let start = 0;
  for (const { number, body } of parts) {
    for (const method of ["HEAD", "GET"]) {
      const read = await send(method, at(`partNumber=${number}`), { headers: { "x-amz-checksum-mode": "ENABLED" } });
      expect(read.status).toBe(body.length === 0 ? 200 : 206);
      expect(read.headers.get("x-amz-mp-parts-count")).toBe(String(parts.length));
      expect(read.headers.get("content-length")).toBe(String(body.length));
      if (body.length > 0) {
        expect(read.headers.get("content-range")).toBe(`bytes ${start}-${start + body.length - 1}/${size}`);
        expect(read.headers.get(header)).toBe(checksum(algorithm, body));
      }
      if (method === "GET") await expectBytes(read, body);
    }
    start += body.length;
  }
  const beyond = await send("GET", at("partNumber=9"));
  expect(beyond.status).toBe(416);
  expect(await beyond.text()).toContain(`<ActualPartCount>${parts.length}</ActualPartCount>`);
}

const KINDS = [
  ["one part", ONE],
  ["one part of another number than 1", ONE_OF_ANOTHER_NUMBER],
  ["one part of no bytes", EMPTY],
  ["two parts", TWO],
] as const;

describe.each([
  ["SHA256", "COMPOSITE"],
  ["CRC32C", "COMPOSITE"],
  ["CRC64NVME", "FULL_OBJECT"],
] as const)("an object that was uploaded with %s, %s", (algorithm, type) => {
  it.each(KINDS)("in %s reports its parts when copied, renamed, restored and noncurrent", async (_name, parts) => {
    const bucket = await freshBucket();
    await upload(bucket, parts, algorithm, type);
    await expectParts(`/${bucket}/k`, parts, algorithm, type);

    const copied = await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/k` } });
    expect(copied.status).toBe(200);
    await expectParts(`/${bucket}/copy`, parts, algorithm, type);

    const renamed = await send("PUT", `/${bucket}/moved?renameObject`, { headers: { "x-amz-rename-source": "k" } });
    expect(renamed.status, await renamed.text()).toBe(200);
    await expectParts(`/${bucket}/moved`, parts, algorithm, type);

    await setVersioning(bucket, "Enabled");
    const address = await takeSnapshot(bucket, "s");
    await expectParts(`/${address}/moved`, parts, algorithm, type);
    expect((await send("PUT", `/${bucket}/moved`, { body: "another" })).status).toBe(200);
    await expectParts(`/${bucket}/moved?versionId=null`, parts, algorithm, type);
    const restored = await send("POST", `/${bucket}?restoreSnapshot=s`);
    expect(restored.status, await restored.text()).toBe(200);
    await expectParts(`/${bucket}/moved`, parts, algorithm, type);
  });
});

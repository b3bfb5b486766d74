// Copies from and to SSE-C objects. Every combination of source and target encryption copies the bytes.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { FRAME_BYTES } from "../../src/bytes/frame-layout.ts";
import { copyBytes } from "../../src/state/reads/byte-copy.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { lookUpVersion } from "../../src/state/metadata/objects.ts";
import { R2BlobStore } from "../../src/state/blobs/r2-blob-store.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, expectBytes, md5Hex, noise } from "../support/digests.ts";
import {
  customerKey,
  encryptionShownFor,
  keyHeaders,
  shownEncryption,
  sourceKeyHeaders,
} from "../support/encryption.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { coordinatorsWith, ONE_SHARD, r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { bucketId, storedStateOf } from "../support/stored-state.ts";
import { createUpload, joined, largePart, putPart, sendCompletion, sendPart } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { expectBalanced, expectUntouched } from "../support/rows.ts";

type Headers = Readonly<Record<string, string>>;

const [A, B] = [customerKey(1), customerKey(2)];
const KINDS = [undefined, A, B] as const;
const NAMES = new Map([
  [undefined, "plain"],
  [A, "key A"],
  [B, "key B"],
]);
const name = (key: string | undefined): string => NAMES.get(key) ?? "";
const PAIRS = KINDS.flatMap((from) => KINDS.map((to) => [name(from), name(to), from, to] as const));

const withKey = (key: string | undefined): Headers => (key === undefined ? {} : keyHeaders(key));
const fromKey = (key: string | undefined): Headers => (key === undefined ? {} : sourceKeyHeaders(key));

const BODY = noise(2 * FRAME_BYTES + 77, 21);
const FIRST_PART = largePart(3);
const PARTS = [FIRST_PART, largePart(4, 33), noise(1000, 22)];

/** Puts an object of one blob. */
async function putSingle(bucket: string, key: string, encryption: string | undefined): Promise<Uint8Array> {
  const headers = { ...withKey(encryption), "x-amz-meta-a": "1" };
  expect((await send("PUT", `/${bucket}/${key}`, { body: BODY, headers })).status).toBe(200);
  return BODY;
}

/** Puts an object of three parts. */
async function putParts(bucket: string, key: string, encryption: string | undefined): Promise<Uint8Array> {
  const uploadId = await createUpload(bucket, key, withKey(encryption));
  const listed = [];
  for (const [index, part] of PARTS.entries()) {
    listed.push(await putPart(bucket, key, uploadId, index + 1, part, withKey(encryption)));
  }
  expect((await sendCompletion(bucket, key, uploadId, listed, withKey(encryption))).status).toBe(200);
  return joined(PARTS);
}

async function copy(bucket: string, source: string, key: string, headers: Headers): Promise<Response> {
  return send("PUT", `/${bucket}/${key}`, { headers: { "x-amz-copy-source": `/${bucket}/${source}`, ...headers } });
}

async function expectObject(
  bucket: string,
  key: string,
  encryption: string | undefined,
  body: Uint8Array,
): Promise<void> {
  const read = await send("GET", `/${bucket}/${key}`, { headers: withKey(encryption) });
  expect(read.status).toBe(200);
  expect(shownEncryption(read)).toEqual(encryptionShownFor(encryption));
  await expectBytes(read, body);
  const [first, last] = [body.length - 1500, body.length - 900];
  const range = { ...withKey(encryption), range: `bytes=${first}-${last}` };
  await expectBytes(await send("GET", `/${bucket}/${key}`, { headers: range }), body.slice(first, last + 1));
}

describe.each([
  ["one blob", putSingle],
  ["three parts", putParts],
] as const)("CopyObject of %s", (_what, putSource) => {
  it.each(PAIRS)("from %s to %s copies the bytes", async (_from, _to, from, to) => {
    const bucket = await freshBucket();
    const body = await putSource(bucket, "source", from);
    const response = await copy(bucket, "source", "copy", { ...fromKey(from), ...withKey(to) });
    expect(response.status).toBe(200);
    expect(shownEncryption(response)).toEqual(encryptionShownFor(to));
    await expectObject(bucket, "copy", to, body);
    await expectObject(bucket, "source", from, body);
    const { blobCalls } = costOf(response);
    if (from === undefined && to === undefined) expect(blobCalls).toBe(0);
    else expect(blobCalls).toBe(putSource === putSingle ? 2 : 4);
    await expectBalanced(bucket);
  });
});

describe("CopyObject", () => {
  it("copies metadata; an unencrypted copy has the ETag and checksum of its bytes", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const root = readXml(await (await copy(bucket, "source", "copy", fromKey(A))).text());
    expect(textOf(root, "ETag")).toBe(`"${md5Hex(BODY)}"`);
    expect(textOf(root, "ChecksumCRC64NVME")).toBe(checksum("CRC64NVME", BODY));
    const head = await send("HEAD", `/${bucket}/copy`, { headers: { "x-amz-checksum-mode": "ENABLED" } });
    expect(head.headers.get("etag")).toBe(`"${md5Hex(BODY)}"`);
    expect(head.headers.get("x-amz-meta-a")).toBe("1");
    expect(head.headers.get("x-amz-checksum-crc64nvme")).toBe(checksum("CRC64NVME", BODY));
  });

  it("turns a multipart source into a single part with a full-object checksum of the requested type", async () => {
    const bucket = await freshBucket();
    const body = joined(PARTS);
    const uploadId = await createUpload(bucket, "source", { "x-amz-checksum-algorithm": "CRC32" });
    const listed = [];
    for (const [index, part] of PARTS.entries())
      listed.push(await putPart(bucket, "source", uploadId, index + 1, part));
    expect((await sendCompletion(bucket, "source", uploadId, listed)).status).toBe(200);
    const root = readXml(await (await copy(bucket, "source", "copy", withKey(A))).text());
    expect(textOf(root, "ETag")).toMatch(/^"[0-9a-f]{32}"$/);
    expect(textOf(root, "ChecksumCRC32")).toBe(checksum("CRC32", body));
    expect(textOf(root, "ChecksumType")).toBe("FULL_OBJECT");
    // The parts and the completion proof of the source, and the copy.
    expect(Object.keys((await storedStateOf(bucket)).blobs).length).toBe(PARTS.length + 2);
  });

  it("copies empty objects", async () => {
    const bucket = await freshBucket();
    for (const [from, to] of [
      [undefined, A],
      [A, B],
      [B, undefined],
    ]) {
      expect((await send("PUT", `/${bucket}/empty`, { headers: withKey(from) })).status).toBe(200);
      expect((await copy(bucket, "empty", "copy", { ...fromKey(from), ...withKey(to) })).status).toBe(200);
      const read = await send("GET", `/${bucket}/copy`, { headers: withKey(to) });
      expect({ status: read.status, size: (await read.bytes()).length }).toEqual({ status: 200, size: 0 });
    }
  });

  it("of an object onto itself can change only its encryption", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "k", undefined);
    const unchanged = { status: 400, code: "InvalidRequest", message: /without changing the object's metadata/ };
    await expectS3Error(await copy(bucket, "k", "k", {}), unchanged);
    let from: string | undefined;
    for (const to of [A, B, B, undefined]) {
      expect((await copy(bucket, "k", "k", { ...fromKey(from), ...withKey(to) })).status).toBe(200);
      await expectObject(bucket, "k", to, BODY);
      from = to;
    }
    await expectS3Error(await copy(bucket, "k", "k", {}), unchanged);
    expect((await copy(bucket, "k", "k", { "x-amz-server-side-encryption": "AES256" })).status).toBe(200);
    await expectBalanced(bucket);
  });

  it("requires the source's own key, and rejects a key for a plain source", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "sealed", A);
    await putSingle(bucket, "plain", undefined);
    const uploadId = await createUpload(bucket, "upload");
    const part = `upload?partNumber=1&uploadId=${uploadId}`;
    for (const target of ["copy", part]) {
      await expectUntouched(bucket, async () => {
        await expectS3Error(await copy(bucket, "sealed", target, {}), {
          status: 400,
          code: "InvalidRequest",
          message: /^The object was stored using a form of Server Side Encryption\./,
        });
        await expectS3Error(await copy(bucket, "sealed", target, fromKey(B)), { status: 403, code: "AccessDenied" });
        await expectS3Error(await copy(bucket, "plain", target, fromKey(A)), {
          status: 400,
          code: "InvalidRequest",
          message: "The encryption parameters are not applicable to this object.",
        });
        const { "x-amz-copy-source-server-side-encryption-customer-key": _, ...without } = sourceKeyHeaders(A);
        await expectS3Error(await copy(bucket, "sealed", target, without), {
          status: 400,
          code: "InvalidArgument",
          fields: { ArgumentName: "x-amz-copy-source-server-side-encryption-customer-key" },
          message: /must provide an appropriate secret key\.$/,
        });
      });
    }
  });

  it("evaluates the source's conditions and key before it copies a byte", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    await putSingle(bucket, "there", undefined);
    for (const headers of [{ "x-amz-copy-source-if-match": '"x"' }, { "if-none-match": "*" }]) {
      const response = await copy(bucket, "source", "there", { ...fromKey(A), ...headers });
      expect(response.status).toBe(412);
      expect(costOf(response).blobCalls).toBe(0);
    }
  });

  it("copies again when the source changes meanwhile, and leaves no blob of the first attempt", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const after = noise(500, 23);
    let changes = 0;
    const COORDINATORS = coordinatorsWith(async (_method, call) => {
      if (changes === 0) {
        changes += 1;
        const headers = withKey(A);
        expect((await send("PUT", `/${bucket}/source`, { body: after, headers }, ONE_SHARD)).status).toBe(200);
      }
      return call();
    });
    const headers = { "x-amz-copy-source": `/${bucket}/source`, ...fromKey(A), ...withKey(B) };
    const response = await send("PUT", `/${bucket}/copy`, { headers }, { ...ONE_SHARD, COORDINATORS });
    expect(response.status).toBe(200);
    expect(changes).toBe(1);
    await expectBytes(await send("GET", `/${bucket}/copy`, { headers: withKey(B) }), after);
    await expectBalanced(bucket);
  });

  it("fails and stores nothing when the source's blob fails authentication", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const BLOBS = r2With({
      get: async (key, options) => {
        const blob = await env.BLOBS.get(key, options);
        if (blob === null || !("body" in blob)) return null;
        const bytes = await blob.bytes();
        bytes[FRAME_BYTES + 100] = (bytes[FRAME_BYTES + 100] ?? 0) ^ 1;
        return new Proxy(blob, {
          get: (target, property) =>
            property === "body" ? new Response(bytes).body : (Reflect.get(target, property) as unknown),
        });
      },
    });
    const headers = { "x-amz-copy-source": `/${bucket}/source`, ...fromKey(A) };
    const response = await send("PUT", `/${bucket}/copy`, { headers }, { BLOBS });
    await expectS3Error(response, { status: 500, code: "InternalError" });
    expect((await send("HEAD", `/${bucket}/copy`)).status).toBe(404);
  });

  it("uses several separately encrypted blobs when one blob cannot take all bytes", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const counts = new Counts();
    const database = new Database(env.DB, counts);
    const blobs = new R2BlobStore(env.BLOBS, counts);
    const { object } = await database.look(lookUpVersion(bucket, "source", undefined));
    if (object === undefined) throw new Error("no source");
    const toKey = (text: string) => ({ bytes: Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)), md5: "" });
    const id = await bucketId(bucket);
    const order: (number | undefined)[] = [];
    const copyTo = (seed: string, key: string | undefined, kept: "CRC32" | "SHA256") =>
      copyBytes(
        { database, blobs, object, key: toKey(A) },
        `${id}/${seed}`,
        (number) => {
          order.push(number);
          const customerKey = key === undefined ? undefined : toKey(key);
          return { blobId: `${id}/${seed}-${number}`, recoveryMetadata: {}, customerKey, encryption: undefined };
        },
        kept,
        50_000,
      );
    const plain = await copyTo("plain", undefined, "CRC32");
    expect(plain.manifest?.slices.map(({ start, offset, length }) => [start, offset, length])).toEqual([
      [0, 0, 50_000],
      [50_000, 0, 50_000],
      [100_000, 0, BODY.length - 100_000],
    ]);
    expect(order).toEqual([3, 2, 1]);
    expect(plain.manifest?.references).toEqual([...plain.blobIds, `${id}/plain-proof`]);
    // A GET of part 1 finds its slices through the manifest's parts, and a copy has one part.
    expect(plain.manifest?.parts).toEqual([{ partNumber: 1, start: 0, size: BODY.length, checksum: undefined }]);
    expect(plain.checksum).toEqual({ algorithm: "CRC32", type: "FULL_OBJECT", value: checksum("CRC32", BODY) });
    expect(plain.etag).toMatch(/^[0-9a-f]{32}$/);
    const stored: Uint8Array[] = [];
    for (const blobId of plain.blobIds) stored.push((await (await env.BLOBS.get(blobId))?.bytes()) ?? new Uint8Array());
    expect(md5Hex(joined(stored))).toBe(md5Hex(BODY));
    // A checksum that cannot be combined cannot be the computed one.
    const sealed = await copyTo("sealed", B, "SHA256");
    expect(sealed.checksum).toEqual({
      algorithm: "CRC64NVME",
      type: "FULL_OBJECT",
      value: checksum("CRC64NVME", BODY),
    });
  });
});

describe("UploadPartCopy", () => {
  it.each(PAIRS)("from %s into an upload with %s copies all bytes and ranges", async (_from, _to, from, to) => {
    const bucket = await freshBucket();
    const source = await putParts(bucket, "source", from);
    await putSingle(bucket, "small", from);
    const uploadId = await createUpload(bucket, "k", withKey(to));
    const [first, last] = [FIRST_PART.length - 3_000_000, FIRST_PART.length + 3_000_000];
    const copies = [
      { source: "source", range: `bytes=${first}-${last}` },
      { source: "source", range: undefined },
      { source: "small", range: `bytes=5-${FRAME_BYTES + 5}` },
    ];
    const listed = [];
    for (const [index, { source: key, range }] of copies.entries()) {
      const response = await copy(bucket, key, `k?partNumber=${index + 1}&uploadId=${uploadId}`, {
        ...fromKey(from),
        ...withKey(to),
        ...(range === undefined ? {} : { "x-amz-copy-source-range": range }),
      });
      expect(response.status).toBe(200);
      expect(shownEncryption(response)).toEqual(encryptionShownFor(to));
      if (from === undefined && to === undefined) expect(costOf(response).blobCalls).toBe(0);
      listed.push({ partNumber: index + 1, etag: textOf(readXml(await response.text()), "ETag") ?? "" });
    }
    expect((await sendCompletion(bucket, "k", uploadId, listed, withKey(to))).status).toBe(200);
    await expectObject(
      bucket,
      "k",
      to,
      joined([source.slice(first, last + 1), source, BODY.slice(5, FRAME_BYTES + 6)]),
    );
    await expectBalanced(bucket);
  });

  it("returns the ETag and checksum of an unencrypted part's bytes", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const uploadId = await createUpload(bucket, "k", { "x-amz-checksum-algorithm": "SHA256" });
    const range = { "x-amz-copy-source-range": "bytes=10-99" };
    const response = await copy(bucket, "source", `k?partNumber=1&uploadId=${uploadId}`, { ...fromKey(A), ...range });
    const root = readXml(await response.text());
    expect(textOf(root, "ETag")).toBe(`"${md5Hex(BODY.slice(10, 100))}"`);
    expect(textOf(root, "ChecksumSHA256")).toBe(checksum("SHA256", BODY.slice(10, 100)));
  });

  it("requires the upload's key", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", undefined);
    const sealed = await createUpload(bucket, "sealed", withKey(A));
    const plain = await createUpload(bucket, "plain");
    await expectUntouched(bucket, async () => {
      for (const [target, headers, message] of [
        [`sealed?partNumber=1&uploadId=${sealed}`, {}, /^The multipart upload initiate requested encryption\./],
        [`sealed?partNumber=1&uploadId=${sealed}`, withKey(B), /did not match the ones used originally\.$/],
        [
          `plain?partNumber=1&uploadId=${plain}`,
          withKey(A),
          /^The multipart upload initiate did not request encryption\./,
        ],
      ] as const) {
        await expectS3Error(await copy(bucket, "source", target, headers), {
          status: 400,
          code: "InvalidRequest",
          message,
        });
      }
    });
  });

  it("leaves nothing behind when the upload ends meanwhile", async () => {
    const bucket = await freshBucket();
    await putSingle(bucket, "source", A);
    const uploadId = await createUpload(bucket, "k", withKey(B));
    const BLOBS = r2With({
      put: async (key, body, options) => {
        const stored = await env.BLOBS.put(key, body, options);
        expect((await send("DELETE", `/${bucket}/k?uploadId=${uploadId}`)).status).toBe(204);
        return stored;
      },
    });
    const headers = { "x-amz-copy-source": `/${bucket}/source`, ...fromKey(A), ...withKey(B) };
    const response = await send("PUT", `/${bucket}/k?partNumber=1&uploadId=${uploadId}`, { headers }, { BLOBS });
    await expectS3Error(response, { status: 404, code: "NoSuchUpload", fields: { UploadId: uploadId } });
    expect(Object.keys((await storedStateOf(bucket)).blobs).length).toBe(1);
    expect((await sendPart(bucket, "k", uploadId, 1, "x", withKey(B))).status).toBe(404);
  });
});

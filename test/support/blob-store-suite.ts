// The behaviour that every blob store has. Runs over a store with contents of its own or of other tests.
import { utf8 } from "../../src/bytes/text.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { randomDigits } from "../../src/bytes/random-id.ts";
import type { BlobHash, BlobPut, BlobPutResult, BlobStore } from "../../src/state/blobs/blob-store.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { streamOf } from "./client.ts";
import { md5Hex, noise } from "./digests.ts";

/** Makes a store that counts its calls. */
export type StoreOf = (counts: Counts) => BlobStore;

/** A blob id in a bucket that no other test uses. */
export function freshBlobId(bucketId = randomDigits(26)): string {
  return `${bucketId}/${randomDigits(36)}`;
}

const METADATA = { bucket: "b", key: JSON.stringify("schlüssel 🦉\n\"%'"), user: '{"a":"=?utf-8?"}' };

/** More than S3's 2 KB of user metadata, and as much as R2 takes. */
export const LONG_METADATA = { bucket: "b", key: JSON.stringify("ü".repeat(1024)), user: "x".repeat(5000) };

/** Puts bytes as a stream, in pieces. */
export async function putBytes(
  store: BlobStore,
  bytes: Uint8Array,
  put: Partial<BlobPut> & Pick<BlobPut, "blobId">,
): Promise<BlobPutResult> {
  const { readable, writable } = new FixedLengthStream(bytes.length);
  const middle = Math.floor(bytes.length / 2);
  const piped = streamOf([bytes.slice(0, middle), bytes.slice(middle)].filter(({ length }) => length > 0))
    .pipeTo(writable)
    .catch(() => undefined);
  const result = await store.put({
    body: readable,
    length: bytes.length,
    hash: undefined,
    recoveryMetadata: METADATA,
    ...put,
  });
  if (result.isStored) await piped;
  return result;
}

export async function readAll(stream: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array | undefined> {
  return stream === undefined ? undefined : new Response(stream).bytes();
}

async function hashOf(algorithm: BlobHash["algorithm"], bytes: Uint8Array): Promise<BlobHash> {
  return { algorithm, bytes: new Uint8Array(await crypto.subtle.digest(algorithm, bytes)) };
}

export function describeBlobStore(name: string, storeOf: StoreOf, hasClasses = true): void {
  const store = storeOf(new Counts());

  describe(name, () => {
    // The mark pairs the store with the database that all tests share.
    let mark: Uint8Array | undefined;
    beforeAll(async () => {
      mark = await store.readMark();
    });
    afterAll(() => (mark === undefined ? store.delete(["cairn/generation"]) : store.writeMark(mark)));

    it.each([0, 1, 100_000, 6 * 1024 ** 2])("stores %i bytes and returns them with their MD5", async (length) => {
      const bytes = noise(length);
      const blobId = freshBlobId();
      const result = await putBytes(store, bytes, { blobId });
      expect(result.isStored && Buffer.from(result.md5).toString("hex")).toBe(md5Hex(bytes));
      expect(md5Hex((await readAll(await store.get(blobId, undefined))) ?? "")).toBe(md5Hex(bytes));
      const opened = await store.open(blobId);
      expect(Buffer.from(opened?.md5 ?? []).toString("hex")).toBe(md5Hex(bytes));
      expect((await readAll(opened?.body))?.length).toBe(length);
    });

    it.each([0, 1, 131_072])("stores %i bytes that are in memory, and verifies their hash", async (length) => {
      const bytes = noise(length);
      const blobId = freshBlobId();
      const put = { body: bytes, length, recoveryMetadata: METADATA };
      const result = await store.put({ ...put, blobId, hash: await hashOf("SHA-256", bytes) });
      expect(result.isStored && Buffer.from(result.md5).toString("hex")).toBe(md5Hex(bytes));
      expect(await readAll(await store.get(blobId, undefined))).toEqual(bytes);
      const wrong = freshBlobId();
      const hash = await hashOf("SHA-256", noise(length + 1));
      expect(await store.put({ ...put, blobId: wrong, hash })).toMatchObject({ isStored: false });
      expect(await store.has(wrong)).toBe(false);
    });

    it("reads ranges, and rejects a range beyond the end", async () => {
      const bytes = noise(10_000);
      const blobId = freshBlobId();
      await putBytes(store, bytes, { blobId });
      for (const [offset, length] of [
        [0, 1],
        [17, 4000],
        [9999, 1],
        [0, 10_000],
      ] as const) {
        expect(await readAll(await store.get(blobId, { offset, length }))).toEqual(
          bytes.slice(offset, offset + length),
        );
      }
      await expect(store.get(blobId, { offset: 9000, length: 1001 })).rejects.toThrow("is shorter than its row says");
      await expect(store.get(blobId, { offset: 20_000, length: 1 })).rejects.toThrow("is shorter than its row says");
    });

    it("reports a blob that does not exist as missing", async () => {
      const blobId = freshBlobId();
      expect(await store.get(blobId, undefined)).toBeUndefined();
      expect(await store.get(blobId, { offset: 0, length: 1 })).toBeUndefined();
      expect(await store.open(blobId)).toBeUndefined();
      expect(await store.head(blobId)).toBeUndefined();
      expect(await store.has(blobId)).toBe(false);
      const copy = { sourceId: blobId, blobId: freshBlobId(), recoveryMetadata: METADATA };
      expect(await store.copyToInfrequentAccess({ ...copy, range: undefined })).toBe(false);
      expect(await store.copyToInfrequentAccess({ ...copy, range: { offset: 0, length: 5 } })).toBe(false);
      await store.delete([blobId]);
    });

    it.each(["SHA-1", "SHA-256"] as const)("verifies a %s and stores nothing that mismatches", async (algorithm) => {
      const bytes = noise(50_000);
      const right = freshBlobId();
      const hash = await hashOf(algorithm, bytes);
      expect(await putBytes(store, bytes, { blobId: right, hash })).toMatchObject({ isStored: true });
      const wrong = freshBlobId();
      const put = { blobId: wrong, hash: await hashOf(algorithm, noise(3)), recoveryMetadata: LONG_METADATA };
      expect(await putBytes(store, bytes, put)).toMatchObject({ isStored: false });
      expect(await store.has(wrong)).toBe(false);
      expect(await store.has(right)).toBe(true);
    });

    it("keeps the first blob when an id is used twice", async () => {
      const [first, second] = [noise(1000), noise(2000)];
      const blobId = freshBlobId();
      await putBytes(store, first, { blobId, recoveryMetadata: LONG_METADATA });
      await expect(putBytes(store, second, { blobId })).rejects.toThrow();
      await expect(putBytes(store, second, { blobId, recoveryMetadata: LONG_METADATA })).rejects.toThrow();
      await store.putRecord({ blobId, bytes: second, recoveryMetadata: METADATA });
      expect(await readAll(await store.get(blobId, undefined))).toEqual(first);
      expect((await store.head(blobId))?.recoveryMetadata).toEqual(LONG_METADATA);
    });

    it("stores no blob of a stream that breaks off", async () => {
      const blobId = freshBlobId();
      const { readable, writable } = new FixedLengthStream(1000);
      const piped = streamOf([noise(500)], new Error("the client is gone")).pipeTo(writable);
      piped.catch(() => undefined);
      const put = { blobId, body: readable, length: 1000, hash: undefined, recoveryMetadata: LONG_METADATA };
      await expect(store.put(put)).rejects.toThrow();
      await expect(piped).rejects.toThrow("the client is gone");
      expect(await store.has(blobId)).toBe(false);
    });

    it.each([
      ["short", METADATA],
      ["no", {}],
      ["long", LONG_METADATA],
    ])("returns %s recovery metadata of puts, records and copies", async (_, recoveryMetadata) => {
      const bytes = noise(300);
      const bucketId = randomDigits(26);
      const [blobId, record, copy] = [freshBlobId(bucketId), freshBlobId(bucketId), freshBlobId(bucketId)];
      const before = Date.now() - 2000;
      await putBytes(store, bytes, { blobId, recoveryMetadata });
      await store.putRecord({ blobId: record, bytes, recoveryMetadata });
      await store.copyToInfrequentAccess({ sourceId: blobId, range: undefined, blobId: copy, recoveryMetadata });
      for (const id of [blobId, record, copy]) {
        const entry = await store.head(id);
        expect(entry).toMatchObject({ blobId: id, size: 300, isInfrequentAccess: hasClasses && id === copy });
        expect(entry?.recoveryMetadata).toEqual(recoveryMetadata);
        expect(entry?.uploadedAt).toBeGreaterThan(before);
        expect(Buffer.from(entry?.md5 ?? []).toString("hex")).toBe(md5Hex(bytes));
      }
    });

    it("copies whole blobs and ranges into Infrequent Access, any number of times", async () => {
      const bytes = noise(9000);
      const [sourceId, whole, part] = [freshBlobId(), freshBlobId(), freshBlobId()];
      await putBytes(store, bytes, { blobId: sourceId, recoveryMetadata: LONG_METADATA });
      for (let count = 0; count < 2; count += 1) {
        const recoveryMetadata = METADATA;
        const range = { offset: 100, length: 5000 };
        expect(
          await store.copyToInfrequentAccess({ sourceId, range: undefined, blobId: whole, recoveryMetadata }),
        ).toBe(true);
        expect(await store.copyToInfrequentAccess({ sourceId, range, blobId: part, recoveryMetadata })).toBe(true);
      }
      expect(await readAll(await store.get(whole, undefined))).toEqual(bytes);
      expect(await readAll(await store.get(part, undefined))).toEqual(bytes.slice(100, 5100));
      expect((await store.head(part))?.isInfrequentAccess).toBe(hasClasses);
      expect((await store.head(sourceId))?.isInfrequentAccess).toBe(false);
    });

    it("stores a blob in Infrequent Access on request", async () => {
      const blobId = freshBlobId();
      await putBytes(store, noise(10), { blobId, blobStorageClass: "InfrequentAccess" });
      expect((await store.head(blobId))?.isInfrequentAccess).toBe(hasClasses);
    });

    it("lists blobs in pages in the order of their ids, and neither the mark nor companions", async () => {
      // Ids after all of the reserved prefix, and before it.
      for (const first of ["0", "v"]) {
        const bucketId = `${first}${randomDigits(25)}`;
        const ids = Array.from({ length: 7 }, () => freshBlobId(bucketId)).toSorted();
        for (const blobId of ids) await putBytes(store, noise(20), { blobId, recoveryMetadata: LONG_METADATA });
        await store.writeMark(noise(9));
        const listed: string[] = [];
        for (let after: string | undefined = `${bucketId}/`; after !== undefined;) {
          const { blobs, next } = await store.list(after, 3);
          expect(blobs.length).toBeLessThanOrEqual(3);
          for (const blob of blobs) {
            listed.push(blob.blobId);
            if (blob.blobId.startsWith(bucketId)) expect(blob.recoveryMetadata).toEqual(LONG_METADATA);
          }
          // Other tests' blobs follow.
          after = listed.at(-1)?.startsWith(bucketId) === false ? undefined : next;
        }
        expect(listed.filter((id) => id.startsWith(bucketId))).toEqual(ids);
        expect(listed.filter((id) => id.startsWith("cairn/"))).toEqual([]);
        await store.delete(ids);
        const left = await store.list(`${bucketId}/`, 3);
        expect(left.blobs.filter((blob) => blob.blobId.startsWith(bucketId))).toEqual([]);
      }
    });

    it("deletes blobs, missing ones included, and nothing for an empty list", async () => {
      const ids = [freshBlobId(), freshBlobId(), freshBlobId()];
      const [first = "", second = ""] = ids;
      await putBytes(store, noise(5), { blobId: first, recoveryMetadata: LONG_METADATA });
      await putBytes(store, noise(5), { blobId: second });
      await store.delete([]);
      await store.delete(ids);
      for (const id of ids) expect(await store.has(id)).toBe(false);
    });

    it("deletes 1000 blobs at once", async () => {
      const ids = Array.from({ length: 1000 }, () => freshBlobId());
      await putBytes(store, noise(5), { blobId: ids[999] ?? "" });
      await store.delete(ids);
      expect(await store.has(ids[999] ?? "")).toBe(false);
    });

    it("overwrites its mark", async () => {
      await store.writeMark(new Uint8Array([1, 2, 3]));
      await store.writeMark(new Uint8Array([4]));
      expect(await store.readMark()).toEqual(new Uint8Array([4]));
    });

    it("reads, lists by folder and deletes reserved objects, which are no blobs", async () => {
      const prefix = `cairn/suite-${crypto.randomUUID()}/`;
      expect(await store.readReserved(`${prefix}a/1`)).toBeUndefined();
      expect(await store.listReservedFolders(prefix)).toEqual([]);
      for (const name of ["a/1", "a/2", "b/1"]) await store.writeReserved(prefix + name, utf8(name));
      expect(await store.readReserved(`${prefix}a/2`)).toEqual(utf8("a/2"));
      expect(await store.listReservedFolders(prefix)).toEqual(["a", "b"]);
      expect(await store.listReserved(prefix, "", 2)).toEqual([`${prefix}a/1`, `${prefix}a/2`]);
      expect(await store.listReserved(prefix, `${prefix}a/2`, 2)).toEqual([`${prefix}b/1`]);
      expect(await store.listReserved(`${prefix}a/`, `${prefix}a/2`, 2)).toEqual([]);
      expect(await store.deleteReserved(`${prefix}a/`)).toBe(2);
      expect(await store.deleteReserved(`${prefix}a/`)).toBe(0);
      expect(await store.listReservedFolders(prefix)).toEqual(["b"]);
      const { blobs } = await store.list(undefined, 1000);
      expect(blobs.filter(({ blobId }) => blobId.startsWith("cairn/"))).toEqual([]);
    });

    it("counts its calls, or those that were announced", async () => {
      const counts = new Counts();
      const counting = storeOf(counts);
      const blobId = freshBlobId();
      await putBytes(counting, noise(5), { blobId });
      await counting.head(blobId);
      await readAll(await counting.get(blobId, undefined));
      expect(counts.snapshot().blobCalls).toBe(3);
      const counted = counting.counted(2);
      await counted.head(blobId);
      await counted.delete([blobId]);
      expect(counts.snapshot().blobCalls).toBe(5);
    });
  });
}

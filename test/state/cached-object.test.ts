// Reads through caches that fail, hang, return wrong bytes or store too slowly, and readers who leave.
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import type { ByteRange } from "../../src/protocol/core/range.ts";
import { CacheApi } from "../../src/state/blobs/cache-api.ts";
import { MAX_PIECES, segmentsOf } from "../../src/state/blobs/cache-pieces.ts";
import type { CachePiece, EdgeCache, PieceBytes } from "../../src/state/blobs/edge-cache.ts";
import { R2BlobStore } from "../../src/state/blobs/r2-blob-store.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { type CachedRead, type CachedSource, openCachedObject } from "../../src/state/reads/cached-object.ts";
import { expectSame, noise } from "../support/digests.ts";
import { joined } from "../support/multipart.ts";
import { PATIENCE } from "../support/quick.ts";

const CACHE_PIECE_BYTES = 2 * 1024 * 1024;
const SIZE = 2 * CACHE_PIECE_BYTES + 1000;
const BYTES = noise(SIZE);

/** A cache in memory whose calls a test can replace. */
class MemoryCache implements EdgeCache {
  readonly isFilledByReaders = true;
  readonly pieceBytes = CACHE_PIECE_BYTES;
  readonly name = crypto.randomUUID();
  readonly pieces = new Map<string, Uint8Array>();
  readonly stores: CachePiece[] = [];

  async open(piece: CachePiece, { offset, length }: ByteRange): Promise<PieceBytes | undefined> {
    const bytes = this.pieces.get(JSON.stringify(piece));
    if (bytes === undefined) return undefined;
    const body = new Response(bytes.slice(offset - piece.from, offset - piece.from + length)).body;
    return body === null ? undefined : { body, isHit: true };
  }

  async store(piece: CachePiece, chunks: readonly Uint8Array[]): Promise<void> {
    this.stores.push(piece);
    this.pieces.set(JSON.stringify(piece), joined(chunks));
  }

  async evict(piece: CachePiece): Promise<void> {
    this.pieces.delete(JSON.stringify(piece));
  }
}

interface Stored {
  readonly blobId: string;
  readonly size: number;
}

async function storedBlob(bytes = BYTES): Promise<Stored> {
  const blobId = `${crypto.randomUUID()}/${crypto.randomUUID()}`;
  await env.BLOBS.put(blobId, bytes);
  return { blobId, size: bytes.length };
}

/** A reader with its own request. */
class Reader {
  readonly counts = new Counts();
  readonly work: Promise<unknown>[] = [];
  readonly source: CachedSource;

  constructor(cache: EdgeCache, options: Partial<CachedSource> = {}) {
    this.source = {
      blobs: new R2BlobStore(env.BLOBS, this.counts),
      cache,
      mayFill: true,
      mayReadAhead: true,
      waitUntil: (work) => void this.work.push(work),
      ...options,
    };
  }

  async open(stored: Stored, range?: ByteRange): Promise<CachedRead> {
    const read = await openCachedObject(this.source, { blobId: stored.blobId, size: stored.size }, [], range);
    if (read === undefined || read === "bypass") throw new Error(`no bytes: ${read}`);
    return read;
  }

  async read(stored: Stored, range?: ByteRange): Promise<{ readonly isHit: boolean; readonly bytes: Uint8Array }> {
    const { body, isHit } = await this.open(stored, range);
    const bytes = await new Response(body).bytes();
    await Promise.all(this.work);
    return { isHit, bytes };
  }
}

function cacheApi(): CacheApi {
  const namespace = `test-${crypto.randomUUID()}`;
  return new CacheApi({
    namespace,
    base: "https://cache.example/secret/",
    maxAge: 3600,
    pieceBytes: CACHE_PIECE_BYTES,
  });
}

describe("a cache that fails", () => {
  it.each([
    ["rejects", () => Promise.reject(new Error("no cache"))],
    [
      "throws",
      () => {
        throw new Error("no cache");
      },
    ],
    ["never answers", () => new Promise<undefined>(() => undefined)],
  ])("and %s when it is asked is passed by", async (_, open) => {
    const cache = Object.assign(new MemoryCache(), { open });
    const { isHit, bytes } = await new Reader(cache).read(await storedBlob());
    expect(isHit).toBe(false);
    expectSame(bytes, BYTES);
  });

  it("and answers late has its answer cancelled", async () => {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const answer = new Promise<PieceBytes>((resolve) => {
      setTimeout(() => resolve({ body, isHit: true }), 600);
    });
    const cache = Object.assign(new MemoryCache(), { open: async () => answer });
    const small = await storedBlob(noise(10));
    expect((await new Reader(cache).read(small)).bytes).toEqual(noise(10));
    await vi.waitFor(() => expect(isCancelled).toBe(true), PATIENCE);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no space"))],
    [
      "throws",
      () => {
        throw new Error("no space");
      },
    ],
  ])("and %s when it stores does not break the reader", async (_, store) => {
    for (const size of [10, 100_000, SIZE]) {
      const cache = Object.assign(new MemoryCache(), { store });
      const bytes = noise(size);
      expectSame((await new Reader(cache).read(await storedBlob(bytes))).bytes, bytes);
    }
  });

  it("and never ends to store does not delay the readers, and its fills hold a bounded memory", async () => {
    const stored = await storedBlob();
    let held = 0;
    const store = (piece: CachePiece): Promise<void> => {
      held += piece.to - piece.from;
      return new Promise<void>(() => undefined);
    };
    // Together they would hold 80 MiB.
    for (let count = 0; count < 20; count += 1) {
      const reader = new Reader(Object.assign(new MemoryCache(), { store }));
      expectSame(await new Response((await reader.open(stored)).body).bytes(), BYTES);
    }
    expect(held).toBeGreaterThan(16 * 1024 * 1024);
    expect(held).toBeLessThanOrEqual(32 * 1024 * 1024);
    // Fills that never end are given up, so that others can be stored.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    try {
      const cache = new MemoryCache();
      await new Reader(cache).read(stored);
      expect((await new Reader(cache).read(stored)).isHit).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the Cache API", () => {
  it("has a stored piece and its ranges, and nothing of other pieces", async () => {
    const cache = cacheApi();
    const piece = { blobId: "bucket/blob", from: 100, to: 110 };
    await cache.store(piece, [new TextEncoder().encode("0123"), new TextEncoder().encode("456789")]);
    const textAt = async (offset: number, length: number): Promise<string | undefined> => {
      const opened = await cache.open(piece, { offset, length });
      return opened && new Response(opened.body).text();
    };
    expect(await textAt(100, 10)).toBe("0123456789");
    expect(await textAt(103, 2)).toBe("34");
    expect(await textAt(109, 1)).toBe("9");
    expect(await cache.open({ ...piece, to: 109 }, { offset: 100, length: 9 })).toBeUndefined();
    expect(await cache.open({ ...piece, blobId: "bucket/blob2" }, { offset: 100, length: 10 })).toBeUndefined();
    await cache.evict(piece);
    expect(await cache.open(piece, { offset: 100, length: 10 })).toBeUndefined();
  });

  it.each([
    ["shorter", 9],
    ["longer", 11],
    ["empty", 0],
  ])("does not serve an entry that is %s than its piece", async (_, length) => {
    const cache = cacheApi();
    const piece = { blobId: "bucket/blob", from: 0, to: 10 };
    const named = await caches.open(cache.name);
    const headers = { "cache-control": "max-age=60" };
    await named.put("https://cache.example/secret/bucket/blob/0-10", new Response("x".repeat(length), { headers }));
    expect(await cache.open(piece, { offset: 0, length: 10 })).toBeUndefined();
  });
});

describe("concurrent readers of a cold blob", () => {
  it.each([10, 100_000, SIZE])("of %i bytes store each piece once", async (size) => {
    const cache = new MemoryCache();
    const bytes = noise(size);
    const stored = await storedBlob(bytes);
    const readers = Array.from({ length: 8 }, () => new Reader(cache));
    for (const read of await Promise.all(readers.map(async (reader) => reader.read(stored)))) {
      expectSame(read.bytes, bytes);
    }
    expect(cache.stores).toHaveLength(Math.ceil(size / CACHE_PIECE_BYTES));
    const warm = new Reader(cache);
    const again = await warm.read(stored);
    expect(again.isHit).toBe(true);
    expectSame(again.bytes, bytes);
    expect(warm.counts.snapshot().blobCalls).toBe(0);
  });

  it("of ranges fetch the whole piece once for all of them, and count only their own calls", async () => {
    const cache = new MemoryCache();
    const stored = await storedBlob();
    const readers = Array.from({ length: 8 }, () => new Reader(cache));
    await Promise.all(readers.map(async (reader) => reader.read(stored, { offset: 1000, length: 10 })));
    const calls = readers.reduce((total, { counts }) => total + counts.snapshot().blobCalls, 0);
    expect([calls, cache.stores.length]).toEqual([8, 1]);
  });
});

describe("a read that must not read ahead", () => {
  it.each([10_000, SIZE])(
    "of a blob of %i bytes reads only what is asked for, and stores only whole pieces",
    async (size) => {
      const bytes = noise(size);
      const stored = await storedBlob(bytes);
      const ranges: (ByteRange | undefined)[] = [];
      const cache = new MemoryCache();
      const cold = new Reader(cache, { mayReadAhead: false });
      const { blobs } = cold.source;
      const get = blobs.get.bind(blobs);
      vi.spyOn(blobs, "get").mockImplementation(async (blobId, range) => {
        ranges.push(range);
        return get(blobId, range);
      });
      const wanted = { offset: 1000, length: 10 };
      expectSame((await cold.read(stored, wanted)).bytes, bytes.subarray(1000, 1010));
      await Promise.all(cold.work);
      expect([ranges, cache.stores]).toEqual([[wanted], []]);
      expectSame((await cold.read(stored)).bytes, bytes);
      expect(cache.stores).toHaveLength(Math.ceil(size / CACHE_PIECE_BYTES));
    },
  );
});

describe("a reader who leaves", () => {
  it.each([
    ["at once", 0],
    ["in the first piece", 1],
    ["in the second piece", CACHE_PIECE_BYTES + 10],
  ])("%s leaves no partial piece, and the next one gets all bytes and fills the cache", async (_, taken) => {
    const cache = cacheApi();
    const stored = await storedBlob();
    const leaver = new Reader(cache);
    const reader = (await leaver.open(stored)).body.getReader();
    for (let count = 0; count < taken;) count += (await reader.read()).value?.length ?? taken;
    await reader.cancel(new Error("gone"));
    await Promise.all(leaver.work);
    // What is cached is whole.
    const second = await new Reader(cache).read(stored);
    expectSame(second.bytes, BYTES);
    await vi.waitFor(async () => {
      const warm = new Reader(cache);
      const read = await warm.read(stored);
      expectSame(read.bytes, BYTES);
      expect([read.isHit, warm.counts.snapshot().blobCalls]).toEqual([true, 0]);
    }, PATIENCE);
  });
});

describe("a warm read", () => {
  it("continues in the blob store where the cache has lost a piece", async () => {
    const cache = new MemoryCache();
    const stored = await storedBlob();
    await new Reader(cache).read(stored);
    await cache.evict({ blobId: stored.blobId, from: CACHE_PIECE_BYTES, to: 2 * CACHE_PIECE_BYTES });
    const reader = new Reader(cache);
    const { isHit, bytes } = await reader.read(stored);
    expect(isHit).toBe(true);
    expectSame(bytes, BYTES);
    expect(reader.counts.snapshot().blobCalls).toBe(1);
  });

  it("breaks off where the cache has lost a piece whose blob is missing, and is never short", async () => {
    const cache = new MemoryCache();
    const stored = await storedBlob();
    await new Reader(cache).read(stored);
    await cache.evict({ blobId: stored.blobId, from: CACHE_PIECE_BYTES, to: 2 * CACHE_PIECE_BYTES });
    await env.BLOBS.delete(stored.blobId);
    const { body } = await new Reader(cache).open(stored);
    await expect(new Response(body).bytes()).rejects.toThrow();
  });

  it("evicts all of its pieces on demand", async () => {
    const cache = cacheApi();
    const stored = await storedBlob(noise(1000));
    await new Reader(cache).read(stored);
    const read = await new Reader(cache).open(stored);
    expect(read.isHit).toBe(true);
    await read.body.cancel();
    await read.evict();
    expect((await new Reader(cache).read(stored)).isHit).toBe(false);
  });
});

describe("a read that may not", () => {
  it("fill stores nothing", async () => {
    for (const size of [10, 100_000, SIZE]) {
      const cache = new MemoryCache();
      const bytes = noise(size);
      const stored = await storedBlob(bytes);
      expectSame((await new Reader(cache, { mayFill: false }).read(stored)).bytes, bytes);
      expectSame(
        (await new Reader(cache, { mayFill: false }).read(stored, { offset: 1, length: 5 })).bytes,
        bytes.slice(1, 6),
      );
      expect(cache.stores).toEqual([]);
    }
  });

  it("read ahead reads no more bytes than it serves", async () => {
    const cache = new MemoryCache();
    const reader = new Reader(cache, { mayReadAhead: false });
    await reader.read(await storedBlob(), { offset: 1000, length: 10 });
    expect([reader.counts.snapshot().blobCalls, cache.stores]).toEqual([1, []]);
  });
});

describe("segmentsOf", () => {
  it("cuts a range at multiples of the piece size and at the slice's ends", () => {
    const read = { blobId: "b", range: { offset: 12, length: 20 }, sliceStart: 3, sliceEnd: 34 };
    expect(segmentsOf([read], 10)).toEqual([
      { piece: { blobId: "b", from: 10, to: 20 }, range: { offset: 12, length: 8 }, read: 0 },
      { piece: { blobId: "b", from: 20, to: 30 }, range: { offset: 20, length: 10 }, read: 0 },
      { piece: { blobId: "b", from: 30, to: 34 }, range: { offset: 30, length: 2 }, read: 0 },
    ]);
    const first = { blobId: "b", range: { offset: 3, length: 2 }, sliceStart: 3, sliceEnd: 34 };
    expect(segmentsOf([first], 10)).toEqual([
      { piece: { blobId: "b", from: 3, to: 10 }, range: { offset: 3, length: 2 }, read: 0 },
    ]);
  });

  it("refuses more pieces than one request may look up", () => {
    const read = (length: number) => ({ blobId: "b", range: { offset: 0, length }, sliceStart: 0, sliceEnd: length });
    expect(segmentsOf([read(10 * MAX_PIECES)], 10)).toHaveLength(MAX_PIECES);
    expect(segmentsOf([read(10 * MAX_PIECES + 1)], 10)).toBeUndefined();
    expect(segmentsOf([read(5 * 1024 ** 4)], 8 * 1024 ** 2)).toBeUndefined();
  });
});

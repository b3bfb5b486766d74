// The edge cache on the Workers Cache API: one cache per location, without effect on workers.dev.
import { streamOfBytes } from "../../bytes/streams.ts";
import type { ByteRange } from "../../protocol/core/range.ts";
import { pieceName, type CachePiece, type EdgeCache, type PieceBytes } from "./edge-cache.ts";

/** Where the entries of a deployment are. */
export interface CacheAddress {
  /** The name of the cache. Caches of different names share nothing. */
  readonly namespace: string;
  /** A URL that ends with a slash. Its path is a secret, so that no one else who reaches the cache finds an entry. */
  readonly base: string;
  /** Seconds until an entry expires. */
  readonly maxAge: number;
  /** The size of a full piece. */
  readonly pieceBytes: number;
}

// A cache is only a name to the runtime, and every read of bytes needs it.
const OPEN = new WeakMap<CacheStorage, Map<string, Cache>>();

async function openCache(namespace: string): Promise<Cache> {
  const known = OPEN.get(caches) ?? new Map<string, Cache>();
  OPEN.set(caches, known);
  const cache = known.get(namespace) ?? (await caches.open(namespace));
  known.set(namespace, cache);
  return cache;
}

export class CacheApi implements EdgeCache {
  readonly isFilledByReaders = true;
  readonly #address: CacheAddress;

  constructor(address: CacheAddress) {
    this.#address = address;
  }

  get pieceBytes(): number {
    return this.#address.pieceBytes;
  }

  get name(): string {
    return this.#address.namespace;
  }

  async open(piece: CachePiece, range: ByteRange): Promise<PieceBytes | undefined> {
    const cache = await openCache(this.#address.namespace);
    const isWhole = range.length === piece.to - piece.from;
    const first = range.offset - piece.from;
    // The cache cuts the range itself.
    const headers = isWhole ? {} : { range: `bytes=${first}-${first + range.length - 1}` };
    const found = await cache.match(new Request(this.#urlOf(piece), { headers }));
    if (found?.body == null) return undefined;
    if (Number(found.headers.get("content-length")) === range.length && found.status === (isWhole ? 200 : 206)) {
      return { body: found.body, isHit: true };
    }
    await found.body.cancel();
    return undefined;
  }

  async store(piece: CachePiece, chunks: readonly Uint8Array[]): Promise<void> {
    const cache = await openCache(this.#address.namespace);
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": `public, max-age=${this.#address.maxAge}, immutable`,
    };
    // The body's length is known to the runtime, so the entry has a Content-Length, which ranges need.
    await cache.put(this.#urlOf(piece), new Response(streamOfBytes(...chunks), { headers }));
  }

  async evict(piece: CachePiece): Promise<void> {
    const cache = await openCache(this.#address.namespace);
    await cache.delete(this.#urlOf(piece));
  }

  #urlOf(piece: CachePiece): string {
    return `${this.#address.base}${pieceName(piece)}`;
  }
}

// The edge cache on Workers Cache, which is tiered and shares one read among concurrent readers. It stands in front of a
// named entrypoint of this Worker, and calls it to read a piece from the blob store. Where it is not enabled, and on a
// local server, every call reaches the entrypoint.
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStore } from "./blob-store.ts";
import { pieceName, type CachePiece, type EdgeCache, type PieceBytes } from "./edge-cache.ts";
import type { CacheAddress } from "./cache-api.ts";

/** The entrypoint behind the cache. */
export interface CachedEntrypoint {
  fetch(request: Request, init: { readonly cf: { readonly cacheKey: string } }): Promise<Response>;
}

/** Asks the entrypoint for a response that the cache does not store. */
const NO_FILL = "x-cairn-no-fill";

export class WorkersCache implements EdgeCache {
  readonly isFilledByReaders = false;
  readonly #entrypoint: CachedEntrypoint;
  readonly #address: CacheAddress;

  constructor(entrypoint: CachedEntrypoint, address: CacheAddress) {
    this.#entrypoint = entrypoint;
    this.#address = address;
  }

  get pieceBytes(): number {
    return this.#address.pieceBytes;
  }

  get name(): string {
    return this.#address.namespace;
  }

  async open(piece: CachePiece, range: ByteRange, mayFill: boolean): Promise<PieceBytes | undefined> {
    const first = range.offset - piece.from;
    const headers = new Headers({ range: `bytes=${first}-${first + range.length - 1}` });
    if (!mayFill) headers.set(NO_FILL, "1");
    const cacheKey = `${this.#address.namespace}/${pieceName(piece)}`;
    const request = new Request(`https://blobs.invalid/${pieceName(piece)}`, { headers });
    const found = await this.#entrypoint.fetch(request, { cf: { cacheKey } });
    const isRange = found.status === 206 || (found.status === 200 && range.length === piece.to - piece.from);
    if (found.body !== null && isRange && Number(found.headers.get("content-length")) === range.length) {
      return { body: found.body, isHit: found.headers.get("cf-cache-status") === "HIT" };
    }
    await found.body?.cancel();
    return undefined;
  }

  async store(): Promise<void> {
    // The cache stores what the entrypoint answers.
  }

  async evict(): Promise<void> {
    // The platform limits purges to five a minute, and entries expire.
  }
}

/**
 * Answers the entrypoint's request for a piece. The cache strips `Range` and cuts the range itself; without a cache the
 * header arrives and is obeyed here.
 * @param maxAge seconds until an entry expires
 */
export async function answerPiece(request: Request, blobs: BlobStore, maxAge: number): Promise<Response> {
  const [, blobId, from, to] = /^https:\/\/[^/]+\/(.+)\/(\d+)-(\d+)$/.exec(request.url) ?? [];
  const piece = { blobId: blobId ?? "", from: Number(from), to: Number(to) };
  if (blobId === undefined || piece.from >= piece.to) return notStored(400);
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
  const isCut = first !== undefined;
  const offset = piece.from + (isCut ? Number(first) : 0);
  const end = isCut ? Math.min(piece.from + Number(last) + 1, piece.to) : piece.to;
  if (offset >= end) return notStored(416);
  const stream = await blobs.get(piece.blobId, { offset, length: end - offset });
  if (stream === undefined) return notStored(404);
  const mayFill = request.headers.get(NO_FILL) === null;
  return new Response(stream, {
    status: isCut ? 206 : 200,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(end - offset),
      "cache-control": mayFill ? `public, max-age=${maxAge}, immutable` : "no-store",
      ...(isCut ? { "content-range": `bytes ${first}-${end - piece.from - 1}/${piece.to - piece.from}` } : {}),
    },
  });
}

function notStored(status: number): Response {
  return new Response(null, { status, headers: { "cache-control": "no-store" } });
}

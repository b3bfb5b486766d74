// Collects a piece in memory while its bytes are sent to a reader, and stores it in the edge cache once it is complete.
// Filling never waits for the reader and never delays one; a fill that is cut stores nothing. The memory of all fills of an
// isolate is bounded.
import { pieceName, type CachePiece, type EdgeCache } from "./edge-cache.ts";

/** The maximum number of bytes that all fills of an isolate together hold. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** A fill that lasts longer is dropped. The fill of a cancelled request never ends; another reader then fills the piece. */
const MAX_FILL_MS = 60_000;
/** Readers who asked the cache before a piece was stored do not store it again within this time. */
const STORED_MS = 1000;

/** The fills in progress, and those that have just stored their piece, by the name of their piece. */
const FILLS = new Map<string, CacheFill>();

/** A piece on its way into the cache. */
export class CacheFill {
  readonly #cache: EdgeCache;
  readonly #piece: CachePiece;
  readonly #name: string;
  #expiresAt: number;
  readonly #chunks: Uint8Array[] = [];
  #held = 0;

  private constructor(cache: EdgeCache, piece: CachePiece, name: string, expiresAt: number) {
    this.#cache = cache;
    this.#piece = piece;
    this.#name = name;
    this.#expiresAt = expiresAt;
  }

  /** Begins to fill a piece; undefined if another reader in this isolate fills it, so that each piece is stored once. */
  static begin(cache: EdgeCache, piece: CachePiece, now = Date.now()): CacheFill | undefined {
    const name = `${cache.name}/${pieceName(piece)}`;
    for (const [other, fill] of FILLS) if (fill.#expiresAt <= now) FILLS.delete(other);
    if (FILLS.has(name)) return undefined;
    const fill = new CacheFill(cache, piece, name, now + MAX_FILL_MS);
    FILLS.set(name, fill);
    return fill;
  }

  /** Adds bytes, which the caller must not change afterwards. Drops the fill if the fills would hold too much. */
  write(bytes: Uint8Array): void {
    if (!this.#isLive) return;
    const held = Array.from(FILLS.values()).reduce((total, fill) => total + fill.#held, 0);
    if (held + bytes.length > MAX_HELD_BYTES) {
      this.drop();
      return;
    }
    this.#held += bytes.length;
    this.#chunks.push(bytes);
  }

  /**
   * Stores the piece if it is complete.
   * @param waitUntil keeps the request alive until the piece is stored
   */
  end(waitUntil: (work: Promise<unknown>) => void): void {
    if (!this.#isLive || this.#held !== this.#piece.to - this.#piece.from) {
      this.drop();
      return;
    }
    waitUntil(this.#store());
  }

  async #store(): Promise<void> {
    try {
      await this.#cache.store(this.#piece, this.#chunks);
      this.#expiresAt = Date.now() + STORED_MS;
      this.#release();
    } catch {
      this.drop();
    }
  }

  /** Ends the fill. Nothing more is stored. */
  drop(): void {
    if (this.#isLive) FILLS.delete(this.#name);
    this.#release();
  }

  #release(): void {
    this.#chunks.length = 0;
    this.#held = 0;
  }

  get #isLive(): boolean {
    return FILLS.get(this.#name) === this;
  }
}

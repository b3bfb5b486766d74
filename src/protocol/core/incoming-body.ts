// A request's payload as operations read it: its length, and its bytes after the aws-chunked envelope, chunk signatures
// and trailers are decoded and verified.

/** A plain body without an announced length, as of `Transfer-Encoding: chunked`. */
export interface UnsizedBody {
  readonly length: undefined;
  /** The signed SHA-256 of the payload, which the reader must verify. */
  readonly sha256: Uint8Array | undefined;
  readonly trailerNames: readonly [];
  readonly stream: ReadableStream<Uint8Array>;
}

export interface IncomingBody {
  /** The announced bytes of payload. {@link deliver} delivers exactly this number or throws. */
  readonly length: number;
  /** The signed SHA-256 of the payload (`x-amz-content-sha256`), which the reader must verify. */
  readonly sha256: Uint8Array | undefined;
  /** The names in `x-amz-trailer`, in lower case. */
  readonly trailerNames: readonly string[];
  /** The payload as a stream of {@link length} bytes, if it has no envelope. Read it or `deliver`, never both. */
  readonly plain: ReadableStream<Uint8Array> | undefined;
  /**
   * Delivers the payload in pieces. A piece is valid until the promise of `take` resolves.
   * @returns the trailers by lower-case name
   * @throws S3Error IncompleteBody, InvalidChunkSizeError, SignatureDoesNotMatch, MalformedTrailerError, InvalidRequest
   */
  deliver(take: (piece: Uint8Array) => Promise<void>): Promise<ReadonlyMap<string, string>>;
}

// A request's body as its reader sees it: how many bytes of payload will come, and the bytes themselves with every
// envelope (aws-chunked, chunk signatures, trailers) already taken off and checked.

export interface IncomingBody {
  /** Bytes of payload that the client announced. {@link deliver} delivers exactly as many or throws. */
  readonly length: number;
  /** The SHA-256 that the client signed (`x-amz-content-sha256` in hexadecimal), for the reader to verify. */
  readonly sha256: Uint8Array | undefined;
  /** Trailers that `x-amz-trailer` announces, in lower case. */
  readonly trailerNames: readonly string[];
  /** The payload as a stream of {@link length} bytes, where it carries no envelope. It and `deliver` exclude each other. */
  readonly plain: ReadableStream<Uint8Array> | undefined;
  /**
   * Hands the payload over piece by piece; a piece is valid until its promise resolves.
   * @returns the trailers by lower-case name
   * @throws S3Error IncompleteBody, InvalidChunkSizeError, SignatureDoesNotMatch, MalformedTrailerError, InvalidRequest
   */
  deliver(take: (piece: Uint8Array) => Promise<void>): Promise<ReadonlyMap<string, string>>;
}

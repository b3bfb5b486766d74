// Bodies whose length the Worker knows, because it has collected or stored their bytes.
import type { IncomingBody } from "../protocol/core/incoming-body.ts";

/** The body of bytes in memory. */
export function bodyOfBytes(bytes: Uint8Array, sha256?: Uint8Array): IncomingBody {
  return measuredBody(bytes.length, (take) => take(bytes), sha256);
}

/** A body of a length, whose bytes `deliver` delivers. */
export function measuredBody(
  length: number,
  deliver: (take: (piece: Uint8Array) => Promise<void>) => Promise<void>,
  sha256?: Uint8Array,
): IncomingBody {
  return {
    length,
    sha256,
    trailerNames: [],
    plain: undefined,
    deliver: async (take) => {
      await deliver(take);
      return new Map();
    },
  };
}

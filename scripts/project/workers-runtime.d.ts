// What of the Workers runtime's own digests is used by code that the scripts share, for programs without its types.
import type { BinaryLike } from "node:crypto";

declare global {
  class DigestStream extends WritableStream<ArrayBuffer | ArrayBufferView> {
    constructor(algorithm: string);
    readonly digest: Promise<ArrayBuffer>;
  }
}
declare module "node:crypto" {
  namespace webcrypto {
    interface Crypto {
      readonly DigestStream: typeof DigestStream;
    }
    interface SubtleCrypto {
      timingSafeEqual(left: BinaryLike, right: BinaryLike): boolean;
    }
  }
}

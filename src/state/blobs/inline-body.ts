// Receives a body in memory like a blob store receives one: verifies the hash that the request announced and computes the
// MD5, so that a small blob is checked like any other.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import type { BlobPut, BlobPutResult } from "./blob-store.ts";
import type { BodyStore } from "./store-body.ts";

export class InlineBody implements BodyStore {
  #bytes: Uint8Array | undefined;

  /** The bytes of the body that was put. @throws Error if none was */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new Error("no body was stored");
    return this.#bytes;
  }

  async put({ body, hash }: BlobPut): Promise<BlobPutResult> {
    const bytes = body instanceof Uint8Array ? body : await new Response(body).bytes();
    if (hash !== undefined) {
      const computed = toHex(await digest(hash.algorithm, bytes));
      if (computed !== toHex(hash.bytes)) return { isStored: false, computed };
    }
    const md5 = await digest("MD5", bytes);
    this.#bytes = bytes;
    return { isStored: true, md5 };
  }

  /** Nothing is stored before the commit. */
  delete(): Promise<void> {
    return Promise.resolve();
  }
}

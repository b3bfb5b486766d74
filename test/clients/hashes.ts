// Hashes of bytes, files and streams: compare received with sent bytes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** A file whose bytes are known. */
export interface Body {
  /** The size, in words. */
  readonly label: string;
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

export type HashAlgorithm = "md5" | "sha256";

/** The hash of bytes or of a text's UTF-8, in hexadecimal. */
export function hashBytes(algorithm: HashAlgorithm, bytes: Uint8Array | string): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

/** The SHA-256 of all bytes of a stream, in hexadecimal. */
export async function hashStream(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(stream, hash);
  return hash.digest("hex");
}

/** Asserts that a file contains the bytes of a body. */
export async function assertSameBytes(file: string, body: Body): Promise<void> {
  assert.equal(await hashStream(createReadStream(file)), body.sha256, `the bytes of ${body.label} differ`);
}

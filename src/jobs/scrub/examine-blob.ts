// Reads a blob and compares its bytes with the MD5 that the blob store recorded, and with the sizes, ETags and
// checksums of the rows that reference it.
import { RunningDigest, type DigestAlgorithm } from "../../bytes/digest.ts";
import { FrameLayout } from "../../bytes/frame-layout.ts";
import { toBase64, toHex } from "../../bytes/hex-base64.ts";
import { PieceReader } from "../../bytes/streams.ts";
import { parseRecoveryMetadata } from "../../protocol/objects/recovery-metadata.ts";
import { digestAlgorithm } from "../../protocol/core/checksums.ts";
import { lookUpExpectations, type BlobExpectation } from "../../state/repair/blob-expectations.ts";
import type { BlobEntry, BlobStore, OpenBlob } from "../../state/blobs/blob-store.ts";
import type { Database } from "../../state/d1/database.ts";
import type { ScannedBlob } from "../../state/repair/orphans.ts";

/** The expectations of blobs, by blob id. */
export async function expectationsOf(
  databases: readonly Database[],
  blobs: readonly BlobEntry[],
): Promise<ReadonlyMap<string, readonly BlobExpectation[]>> {
  const lookup = lookUpExpectations(blobs.flatMap((blob) => scannedBlob(blob) ?? []));
  const expectations = await Promise.all(databases.map((database) => database.look(lookup)));
  return Map.groupBy(expectations.flat(), ({ blobId }) => blobId);
}

/** A blob's damage. */
export interface Damage {
  readonly finding: string;
  /** Whether the read failed, so that another attempt may succeed. */
  readonly isUnread: boolean;
}

/** Reads a blob and returns its damage, if any. It never rejects, so that one blob does not stop the scrub. */
export async function examineBlob(
  blobs: BlobStore,
  blob: BlobEntry,
  expectations: readonly BlobExpectation[] = [],
): Promise<Damage | undefined> {
  try {
    const opened = await blobs.open(blob.blobId);
    if (opened === undefined) return await unlessDeleted(blobs, blob);
    const finding = await compareBytes(opened, blob, expectations);
    return finding === undefined ? undefined : { finding, isUnread: false };
  } catch (error) {
    return unread(error);
  }
}

/** Reads only a blob's last byte, if it has one, and returns the damage that this shows, if any. */
export async function probeBlob(blobs: BlobStore, blob: BlobEntry): Promise<Damage | undefined> {
  try {
    const last = blob.size === 0 ? undefined : { offset: blob.size - 1, length: 1 };
    const stream = await blobs.get(blob.blobId, last);
    if (stream === undefined) return await unlessDeleted(blobs, blob);
    const { length } = await new Response(stream).bytes();
    if (length === (last?.length ?? 0)) return undefined;
    return { finding: `it has not the ${blob.size} bytes that the store says`, isUnread: false };
  } catch (error) {
    return unread(error);
  }
}

/** Reports a blob without bytes only if the store still lists it; otherwise it was deleted meanwhile. */
export async function unlessDeleted(blobs: BlobStore, { blobId }: BlobEntry): Promise<Damage | undefined> {
  if ((await blobs.head(blobId)) === undefined) return undefined;
  return { finding: "the store lists it and has no bytes of it", isUnread: true };
}

/** The damage of a blob whose read failed. */
export function unread(error: unknown): Damage {
  return { finding: `it cannot be read: ${error instanceof Error ? error.message : String(error)}`, isUnread: true };
}

/** Compares bytes with what the store and the rows say; undefined if they agree. */
export async function compareBytes(
  opened: OpenBlob,
  { size }: BlobEntry,
  expectations: readonly BlobExpectation[],
): Promise<string | undefined> {
  const algorithms = new Set<DigestAlgorithm>(["MD5"]);
  for (const { checksum } of expectations)
    if (checksum !== undefined) algorithms.add(digestAlgorithm(checksum.algorithm));
  const { length, digests } = await digestsOf(opened.body, algorithms);
  const md5 = toHex(digests.get("MD5") ?? new Uint8Array());
  if (length !== size) return `${length} bytes can be read, the store says ${size}`;
  if (opened.md5 !== undefined && toHex(opened.md5) !== md5)
    return `its MD5 is ${md5}, the store says ${toHex(opened.md5)}`;
  for (const expectation of expectations) {
    const expectedSize = expectation.isEncrypted ? new FrameLayout(expectation.size).encryptedLength : expectation.size;
    if (expectedSize !== size) return `it has ${size} bytes, its row says ${expectedSize}`;
    if (expectation.md5 !== undefined && expectation.md5 !== md5)
      return `its MD5 is ${md5}, its row says ${expectation.md5}`;
    const { checksum } = expectation;
    if (checksum === undefined) continue;
    const computed = toBase64(digests.get(digestAlgorithm(checksum.algorithm)) ?? new Uint8Array());
    if (computed !== checksum.value) return `its ${checksum.algorithm} is ${computed}, its row says ${checksum.value}`;
  }
  return undefined;
}

async function digestsOf(
  body: ReadableStream<Uint8Array>,
  algorithms: ReadonlySet<DigestAlgorithm>,
): Promise<{ readonly length: number; readonly digests: ReadonlyMap<DigestAlgorithm, Uint8Array> }> {
  const running = Array.from(algorithms, (algorithm) => [algorithm, new RunningDigest(algorithm)] as const);
  let length = 0;
  try {
    const reader = new PieceReader(body);
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      length += piece.length;
      const taken = piece;
      await Promise.all(running.map(([, digest]) => digest.update(taken)));
    }
  } catch (error) {
    for (const [, digest] of running) digest.abandon();
    throw error;
  }
  const digests = new Map<DigestAlgorithm, Uint8Array>();
  for (const [algorithm, digest] of running) digests.set(algorithm, await digest.finish());
  return { length, digests };
}

function scannedBlob({ blobId, recoveryMetadata }: BlobEntry): ScannedBlob | undefined {
  const record = parseRecoveryMetadata(recoveryMetadata);
  return record === undefined ? undefined : { ...record, blobId };
}

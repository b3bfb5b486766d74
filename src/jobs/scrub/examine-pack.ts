// Reads a pack and compares it with the MD5 that the blob store recorded, and each small blob in it with its directory and
// with the rows that reference it.
import { digest } from "../../bytes/digest.ts";
import { fromHex, toHex } from "../../bytes/hex-base64.ts";
import { streamOfBytes } from "../../bytes/streams.ts";
import { parsePackDirectory, parsePackMetadata } from "../../protocol/objects/pack-directory.ts";
import type { BlobEntry, BlobStore } from "../../state/blobs/blob-store.ts";
import { timeOfSmallBlob } from "../../state/blobs/small-blobs.ts";
import type { Database } from "../../state/d1/database.ts";
import type { ScrubFinding } from "../../state/metadata/scrub-findings.ts";
import { compareBytes, expectationsOf, unlessDeleted, unread, type Damage } from "./examine-blob.ts";

// Their recovery metadata fits into a parameter.
const COMPARED_BLOBS = 100;

/** The damage of a pack, and of the small blobs in it. */
export interface ExaminedPack {
  readonly damage: Damage | undefined;
  readonly findings: readonly ScrubFinding[];
}

/** Reads a pack. It never rejects, so that one pack does not stop the scrub. */
export async function examinePack(
  databases: readonly Database[],
  blobs: BlobStore,
  pack: BlobEntry,
): Promise<ExaminedPack> {
  try {
    const opened = await blobs.open(pack.blobId);
    if (opened === undefined) return { damage: await unlessDeleted(blobs, pack), findings: [] };
    const bytes = await new Response(opened.body).bytes();
    const md5 = toHex(await digest("MD5", bytes));
    const expected = opened.md5 === undefined ? md5 : toHex(opened.md5);
    if (bytes.length !== pack.size || md5 !== expected) {
      const finding = `it has ${bytes.length} bytes with the MD5 ${md5}, the store says ${pack.size} with ${expected}`;
      return { damage: { finding, isUnread: false }, findings: [] };
    }
    return { damage: undefined, findings: await compareContents(databases, pack, bytes) };
  } catch (error) {
    return { damage: unread(error), findings: [] };
  }
}

async function compareContents(
  databases: readonly Database[],
  pack: BlobEntry,
  bytes: Uint8Array,
): Promise<ScrubFinding[]> {
  const start = parsePackMetadata(pack.recoveryMetadata)?.directoryStart ?? 0;
  const entries = parsePackDirectory(new TextDecoder().decode(bytes.subarray(start)));
  const findings: ScrubFinding[] = [];
  for (let first = 0; first < entries.length; first += COMPARED_BLOBS) {
    const some = entries
      .slice(first, first + COMPARED_BLOBS)
      .map(({ blobId, offset, length, md5, recoveryMetadata }) => {
        const entry: BlobEntry = {
          blobId,
          size: length,
          uploadedAt: timeOfSmallBlob(blobId),
          md5: fromHex(md5),
          recoveryMetadata,
          isInfrequentAccess: false,
        };
        return { entry, content: bytes.subarray(offset, offset + length) };
      });
    const expected = await expectationsOf(
      databases,
      some.map(({ entry }) => entry),
    );
    for (const { entry, content } of some) {
      const opened = { body: streamOfBytes(content), md5: entry.md5 };
      const finding = await compareBytes(opened, entry, expected.get(entry.blobId) ?? []);
      if (finding !== undefined) findings.push({ blobId: entry.blobId, finding: `in ${pack.blobId}: ${finding}` });
    }
  }
  return findings;
}

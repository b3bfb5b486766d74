// Writes and reads packs in the blob store. Rows know nothing of a pack before the batch in state/metadata/packs.ts.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { timeOrderedId } from "../../bytes/random-id.ts";
import {
  packDirectory,
  packMetadata,
  parsePackDirectory,
  parsePackMetadata,
  type PackEntry,
} from "../../protocol/objects/pack-directory.ts";
import type { BlobEntry, BlobStore } from "../blobs/blob-store.ts";
import type { NewSmallBlob } from "../blobs/small-blobs.ts";

/** A pack in the blob store. */
export interface StoredPack {
  readonly packId: string;
  /** Bytes of the small blobs in it. */
  readonly size: number;
  readonly entries: readonly PackEntry[];
}

/**
 * Stores small blobs of one bucket as a new pack.
 * @throws Error of the store; the pack may exist nonetheless, and the orphan scan then purges it
 */
export async function storePack(
  blobs: BlobStore,
  bucketId: string,
  contents: readonly NewSmallBlob[],
): Promise<StoredPack> {
  const entries: PackEntry[] = [];
  let size = 0;
  for (const { blobId, bytes, recoveryMetadata } of contents) {
    const md5 = toHex(await digest("MD5", bytes));
    entries.push({ blobId, offset: size, length: bytes.length, md5, recoveryMetadata });
    size += bytes.length;
  }
  const directory = packDirectory(entries);
  const body = new Uint8Array(size + directory.length);
  contents.forEach(({ bytes }, index) => body.set(bytes, entries[index]?.offset ?? 0));
  body.set(directory, size);
  // A later pack of a bucket has a greater id, also within one run of the schedule.
  const packId = `${bucketId}/${timeOrderedId(Date.now())}`;
  const recoveryMetadata = packMetadata({ bucketId, directoryStart: size });
  const result = await blobs.put({ blobId: packId, body, length: body.length, hash: undefined, recoveryMetadata });
  if (!result.isStored) throw new Error(`the pack ${packId} was not stored`);
  return { packId, size, entries };
}

/** Reads a pack's directory; undefined if the blob is no pack or does not exist. */
export async function readPackDirectory(
  blobs: BlobStore,
  { blobId, size, recoveryMetadata }: BlobEntry,
): Promise<PackEntry[] | undefined> {
  const header = parsePackMetadata(recoveryMetadata);
  if (header === undefined) return undefined;
  const offset = header.directoryStart;
  const stream = await blobs.get(blobId, { offset, length: size - offset });
  return stream && parsePackDirectory(await new Response(stream).text());
}

/** Reads a whole pack; undefined if it does not exist. */
export async function readPack(
  blobs: BlobStore,
  packId: string,
): Promise<{ readonly bytes: Uint8Array; readonly entries: readonly PackEntry[] } | undefined> {
  const entry = await blobs.head(packId);
  const header = entry && parsePackMetadata(entry.recoveryMetadata);
  const stream = header && (await blobs.get(packId, undefined));
  if (header === undefined || stream === undefined) return undefined;
  const bytes = await new Response(stream).bytes();
  return { bytes, entries: parsePackDirectory(new TextDecoder().decode(bytes.subarray(header.directoryStart))) };
}

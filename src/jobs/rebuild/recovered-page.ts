// Lists the blobs of the store for a rebuild, with the small blobs that packs contain.
import { fromHex } from "../../bytes/hex-base64.ts";
import { parsePackMetadata } from "../../protocol/objects/pack-directory.ts";
import { parseRecoveryMetadata } from "../../protocol/objects/recovery-metadata.ts";
import type { BlobEntry, BlobStore } from "../../state/blobs/blob-store.ts";
import { timeOfSmallBlob } from "../../state/blobs/small-blobs.ts";
import { readPackDirectory } from "../../state/metadata/pack-contents.ts";
import type { FoundBlob } from "../../state/repair/recovered-blobs.ts";

/** What a page of the store's list contains, up to the first pack: its small blobs are a page of their own. */
export interface RecoveredPage {
  readonly found: readonly FoundBlob[];
  /** The blobs of the list, the small blobs among what was found, and the blobs without recovery metadata. */
  readonly listed: number;
  readonly packed: number;
  readonly strange: number;
  readonly next: string | undefined;
}

/** Lists blobs after an id. */
export async function recoveredPage(
  blobs: BlobStore,
  after: string | undefined,
  limit: number,
): Promise<RecoveredPage> {
  const page = await blobs.list(after, limit);
  const packIndex = page.blobs.findIndex(({ recoveryMetadata }) => parsePackMetadata(recoveryMetadata) !== undefined);
  const listed = packIndex < 0 ? page.blobs : page.blobs.slice(0, packIndex + 1);
  const pack = page.blobs[packIndex];
  const found = listed.flatMap((blob): FoundBlob[] => {
    const record = parseRecoveryMetadata(blob.recoveryMetadata);
    return record === undefined ? [] : [{ blob, record }];
  });
  const packed = pack === undefined ? [] : await blobsInPack(blobs, pack);
  return {
    found: [...found, ...packed],
    listed: listed.length,
    packed: packed.length,
    strange: listed.length - found.length - (pack === undefined ? 0 : 1),
    next: listed.length < page.blobs.length ? listed.at(-1)?.blobId : page.next,
  };
}

/** The small blobs in a pack, as blobs of their own. */
async function blobsInPack(blobs: BlobStore, pack: BlobEntry): Promise<FoundBlob[]> {
  const packSize = parsePackMetadata(pack.recoveryMetadata)?.directoryStart ?? 0;
  const entries = (await readPackDirectory(blobs, pack)) ?? [];
  return entries.flatMap(({ blobId, offset, length, md5, recoveryMetadata }): FoundBlob[] => {
    const record = parseRecoveryMetadata(recoveryMetadata);
    if (record === undefined) return [];
    const uploadedAt = timeOfSmallBlob(blobId);
    const blob = { blobId, size: length, uploadedAt, md5: fromHex(md5), recoveryMetadata, isInfrequentAccess: false };
    return [{ blob, record, packed: { packId: pack.blobId, packSize, offset } }];
  });
}

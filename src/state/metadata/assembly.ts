// How the parts of a completed upload become an object.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import type { Manifest, Slice } from "./manifests.ts";
import type { Part } from "./parts.ts";

/** What an object made of parts is in: a manifest, or the one blob of its one part. */
export interface Assembly {
  readonly manifest: Manifest | undefined;
  readonly blobId: string | undefined;
}

/** Lays parts end to end. The object takes over what the parts hold. */
export function assemble(bucketId: string, uploadId: string, parts: readonly Part[]): Assembly {
  const [only] = parts;
  if (parts.length === 1 && only?.isWholeBlob === true) return { manifest: undefined, blobId: only.referenceId };
  const slices: Slice[] = [];
  const objectParts: ObjectPart[] = [];
  let start = 0;
  for (const part of parts) {
    objectParts.push({ partNumber: part.partNumber, start, size: part.size, checksum: part.checksum });
    for (const { blobId, offset, length } of part.slices) {
      if (length === 0) continue;
      slices.push({ start, blobId, offset, length });
      start += length;
    }
  }
  const references = parts.map((part) => part.referenceId);
  return {
    manifest: { manifestId: `${bucketId}/${uploadId}`, slices, parts: objectParts, references },
    blobId: undefined,
  };
}

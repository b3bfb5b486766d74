// How the parts of a completed upload become an object: always one of a manifest, which holds the proof of the completion
// beside the parts.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { proofIdOf } from "./completion-proofs.ts";
import type { Manifest, Slice } from "./manifests.ts";
import type { Part } from "./parts.ts";

/** Lays parts end to end. The object takes over what the parts hold. */
export function assemble(bucketId: string, uploadId: string, parts: readonly Part[]): Manifest {
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
  const manifestId = `${bucketId}/${uploadId}`;
  const references = [...parts.map((part) => part.referenceId), proofIdOf(manifestId)];
  return { manifestId, slices, parts: objectParts, references };
}

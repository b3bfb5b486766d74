// Assembles the parts of a completed upload into a manifest, which references the parts and the completion proof.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { proofIdOf } from "./completion-proofs.ts";
import type { Manifest, Slice } from "./manifests.ts";
import type { Part } from "./parts.ts";

/** Concatenates parts. The manifest takes over their blob references. */
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

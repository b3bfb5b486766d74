// Opens the contents of an archive's objects, one after the other.
import type { ByteRange } from "../../protocol/core/range.ts";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Database } from "../d1/database.ts";
import type { ArchivedVersion, SlicesByManifest } from "./archive-members.ts";
import { openObject } from "./object-bytes.ts";
import { reportDamage } from "./read-damage.ts";
import { SmallBlobsAhead } from "./small-blobs-ahead.ts";
import { expectationOf, isVerifiedRead, verifiedBytes } from "./verified-bytes.ts";

/** The connections of an archive, and which reads are verified. */
interface ArchiveConnections {
  readonly blobs: BlobStore;
  readonly database: Database;
  readonly verifyReads: "off" | "sampled" | "always";
  readonly now: number;
}

/** Opens contents as GetObject does. All reads are counted at once, because the log line is written before the last. */
export function contentOpener(
  { blobs, database, verifyReads, now }: ArchiveConnections,
  versions: readonly ArchivedVersion[],
  slices: SlicesByManifest,
): (index: number, range: ByteRange | undefined) => Promise<ReadableStream<Uint8Array> | undefined> {
  const counted = blobs.counted(
    versions.reduce(
      (sum, { manifestId = "", size }) => sum + (size === 0 ? 0 : (slices.get(manifestId)?.length ?? 1)),
      0,
    ),
  );
  const ahead = new SmallBlobsAhead(database, versions);
  return async (index, range) => {
    const version = versions[index];
    if (version === undefined) throw new Error("an archive has a segment of no member");
    const store = await ahead.storeAt(index, counted);
    const stream = await openObject(store, version, slices.get(version.manifestId ?? "") ?? [], range, undefined);
    const isVerified = range === undefined && isVerifiedRead(verifyReads, version.size);
    const expectation = isVerified ? expectationOf(version) : undefined;
    if (stream === undefined || expectation === undefined) return stream;
    return verifiedBytes(stream, version.size, expectation, (finding) =>
      reportDamage({ database, now }, version, finding),
    );
  };
}

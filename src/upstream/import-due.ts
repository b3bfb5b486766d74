// Imports the objects whose claims have ended: those of which reads asked for a part, those too large for one request, and
// those whose copy was cut off. A large object is copied in slices, one per step.
import { toHex } from "../bytes/hex-base64.ts";
import { timeOrderedId } from "../bytes/random-id.ts";
import { mayImport, type Upstream } from "../config/upstreams.ts";
import { upstreamFromText } from "../protocol/buckets/upstream-configuration.ts";
import { DEFAULT_ALGORITHM, NOTHING_ANNOUNCED } from "../protocol/core/checksums.ts";
import { checksumOfParts } from "../protocol/objects/multipart-checksums.ts";
import type { EventOrigin } from "../protocol/buckets/event-record.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import { storeBody } from "../state/blobs/store-body.ts";
import type { Database } from "../state/d1/database.ts";
import { proofIdOf } from "../state/metadata/completion-proofs.ts";
import {
  claimDueImport,
  continueImport,
  endImport,
  retryImport,
  type DueImport,
} from "../state/metadata/upstream-imports.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import { bodyOf, commitImport, importDestination, importObject, type ImportTarget } from "./import-object.ts";
import { deliverRemote, openRemote } from "./remote-bytes.ts";
import { readRemote, readTags, type RemoteObject } from "./remote-object.ts";
import { askUpstream, type UpstreamPlace } from "./upstream-requests.ts";

/** The bytes of a step, and of a slice. */
export const SLICE_BYTES = 512 * 1024 ** 2;
/** More slices could take longer than the orphan scan waits for the commit that references them. */
export const JOB_MAX_BYTES = 96 * SLICE_BYTES;

const CLAIM_MS = 15 * 60_000;
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 60_000;
const ETAG_BYTES = 16;

export interface ImportConnections {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  readonly upstreams: ReadonlyMap<string, Upstream>;
}

/** What a step has done; undefined if nothing was due. */
export type ImportOutcome = "imported" | "continued" | "dropped" | "retried" | undefined;

/** The slices of an object that are stored so far. */
interface Progress {
  readonly etag: string;
  readonly size: number;
  readonly uploadId: string;
  readonly slices: readonly { readonly blobId: string; readonly length: number; readonly checksum: string }[];
}

const ORIGIN: EventOrigin = {
  operation: "ImportObject",
  principalId: "s3.amazonaws.com",
  sourceIp: "s3.amazonaws.com",
  requestId: "",
  hostId: "",
};

/**
 * Imports the object that has been due the longest, or one slice of it.
 * @param now milliseconds since the epoch
 */
export async function importNextDue(
  connections: ImportConnections,
  now: number,
  sliceBytes = SLICE_BYTES,
): Promise<ImportOutcome> {
  const { database, blobs, coordinators } = connections;
  const due = await database.look(claimDueImport(now, now + CLAIM_MS));
  if (due === undefined) return undefined;
  const { bucketId, bucket, key, attempts } = due;
  const configuration = upstreamFromText(bucket?.configurations.upstream ?? null);
  const upstream = configuration === undefined ? undefined : connections.upstreams.get(configuration.source);
  try {
    if (
      bucket !== undefined &&
      configuration !== undefined &&
      upstream !== undefined &&
      mayImport(upstream, bucket.name)
    ) {
      const target = { database, blobs, coordinators: coordinators.from(ORIGIN), bucket, key, now };
      const outcome = await importDue(target, due, { upstream, configuration }, sliceBytes);
      if (outcome !== "dropped") return outcome;
    }
    await database.batch([endImport(bucketId, key)]);
    return "dropped";
  } catch {
    // The failure is logged where it is found.
    const pause = FIRST_PAUSE_MS * 2 ** attempts;
    await database.batch([
      attempts + 1 >= MAX_ATTEMPTS ? endImport(bucketId, key) : retryImport(bucketId, key, now + pause),
    ]);
    return "retried";
  }
}

async function importDue(
  target: ImportTarget,
  { progress }: DueImport,
  place: UpstreamPlace,
  sliceBytes: number,
): Promise<Exclude<ImportOutcome, undefined>> {
  const { key, now } = target;
  const answer = await askUpstream(place, { method: "HEAD", key, headers: { "x-amz-checksum-mode": "ENABLED" } });
  const read = answer === undefined ? undefined : readRemote(answer.headers, now);
  if (answer === undefined || read === undefined || read.size > JOB_MAX_BYTES) return "dropped";
  const remote = { ...read, tags: await readTags(place, key, answer.headers) };
  if (remote.size > sliceBytes) return importSlice(target, remote, progress, place, sliceBytes);
  const isImported = await importObject(target, remote, async (take) => {
    if (remote.size === 0) return;
    const body = await openRemote(place, key, remote, undefined);
    await deliverRemote(body, remote.size, take);
  });
  return isImported ? "imported" : "dropped";
}

/** Copies the next slice; after the last one, commits the object. */
async function importSlice(
  target: ImportTarget,
  remote: RemoteObject,
  progressText: string | null,
  place: UpstreamPlace,
  sliceBytes: number,
): Promise<"imported" | "continued" | "dropped"> {
  const { database, blobs, bucket, key, now } = target;
  const before = progressOf(progressText, remote, now);
  const start = before.slices.reduce((total, { length }) => total + length, 0);
  const length = Math.min(sliceBytes, remote.size - start);
  const { uploadId } = before;
  const slice = { role: "slice", uploadId, partNumber: before.slices.length + 1 } as const;
  const destination = importDestination(target, remote, slice);
  const body = bodyOf(length, async (take) => {
    const bytes = await openRemote(place, key, remote, { offset: start, length });
    await deliverRemote(bytes, length, take);
  });
  const stored = await storeBody(blobs, destination, body, NOTHING_ANNOUNCED);
  const { blobId } = destination;
  const slices = [...before.slices, { blobId, length, checksum: stored.checksum.value }];
  if (start + length < remote.size) {
    const progress: Progress = { ...before, slices };
    await database.batch([continueImport(bucket.id, key, JSON.stringify(progress), now)]);
    return "continued";
  }
  return (await commitSlices(target, remote, { ...before, slices })) ? "imported" : "dropped";
}

/** The progress of a copy; none if the object has changed since. */
function progressOf(text: string | null, { etag, size }: RemoteObject, now: number): Progress {
  // importSlice wrote it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const stored = text === null ? undefined : (JSON.parse(text) as Progress);
  if (stored !== undefined && stored.etag === etag && stored.size === size) return stored;
  return { etag, size, uploadId: timeOrderedId(now), slices: [] };
}

async function commitSlices(
  target: ImportTarget,
  remote: RemoteObject,
  { uploadId, slices }: Progress,
): Promise<boolean> {
  const manifestId = `${target.bucket.id}/${uploadId}`;
  const blobIds = slices.map(({ blobId }) => blobId);
  const parts = slices.map(({ length, checksum }) => ({ size: length, checksum }));
  const checksum = await checksumOfParts(DEFAULT_ALGORITHM, "FULL_OBJECT", parts);
  const announced = remote.checksum?.algorithm === DEFAULT_ALGORITHM ? remote.checksum.value : undefined;
  if (announced !== undefined && announced !== checksum?.value) throw new Error("other bytes than the checksum says");
  let start = 0;
  const manifest = {
    manifestId,
    slices: slices.map(({ blobId, length }) => {
      start += length;
      return { start: start - length, blobId, offset: 0, length };
    }),
    parts: [{ partNumber: 1, start: 0, size: remote.size, checksum: undefined }],
    references: [...blobIds, proofIdOf(manifestId)],
  };
  const etag = toHex(crypto.getRandomValues(new Uint8Array(ETAG_BYTES)));
  return commitImport(target, remote, { etag, checksum, content: { manifest, blobIds } });
}

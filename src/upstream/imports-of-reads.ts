// Starts the imports that reads cause. A claim in the database lets one of them copy an object; it ends by itself, and the
// job then copies what was left.
import type { Context } from "../contract/context.ts";
import type { Bucket } from "../state/metadata/buckets.ts";
import { claimImport, endImport, extendClaim } from "../state/metadata/upstream-imports.ts";
import { IMPORT_BLOB_MAX_BYTES, importObject } from "./import-object.ts";
import { JOB_MAX_BYTES } from "./import-due.ts";
import { deliverRemote, openRemote, type TakePiece } from "./remote-bytes.ts";
import type { RemoteObject } from "./remote-object.ts";
import type { UpstreamPlace } from "./upstream-requests.ts";

/** How long a claim lasts unless it is extended. */
const CLAIM_MS = 120_000;
const EXTEND_AFTER_MS = 60_000;
/** The platform ends work 30 s after a response, so a read copies no larger object after it. */
const AFTER_RESPONSE_MAX_BYTES = 16 * 1024 ** 2;

/** An object that a read has found in the upstream. */
export interface FoundObject {
  readonly bucket: Bucket;
  readonly key: string;
  readonly place: UpstreamPlace;
  readonly remote: RemoteObject;
}

/**
 * Imports an object while its bytes are sent to the client.
 * @returns false if it is not imported now, so that `deliver` was not called
 */
export async function importBeside(
  context: Context,
  found: FoundObject,
  deliver: (take: TakePiece) => Promise<void>,
): Promise<boolean> {
  if (found.remote.size > IMPORT_BLOB_MAX_BYTES) {
    importLater(context, found);
    return false;
  }
  if (!(await claim(context, found, CLAIM_MS).catch(() => false))) return false;
  context.waitUntil(runClaimed(context, found, deliver));
  return true;
}

/** Imports an object of which the client gets a part: a small one after the response, others in the job. */
export function importLater(context: Context, found: FoundObject): void {
  const { key, place, remote } = found;
  if (remote.size > JOB_MAX_BYTES) return;
  const isSmall = remote.size <= AFTER_RESPONSE_MAX_BYTES;
  const start = async (): Promise<void> => {
    if (!(await claim(context, found, isSmall ? CLAIM_MS : 0)) || !isSmall) return;
    await runClaimed(context, found, async (take) => {
      const body = remote.size === 0 ? undefined : await openRemote(place, key, remote, undefined);
      if (body !== undefined) await deliverRemote(body, remote.size, take);
    });
  };
  // A failed claim: the next read tries again.
  context.waitUntil(start().catch(() => undefined));
}

async function claim(
  { database, now }: Context,
  { bucket, key, remote }: FoundObject,
  lastsMs: number,
): Promise<boolean> {
  const [claimed] = await database.batch([claimImport(bucket.id, key, remote.size, now + lastsMs, now)]);
  return claimed?.changes === 1;
}

/** Copies a claimed object. Never rejects. */
async function runClaimed(
  context: Context,
  { bucket, key, remote }: FoundObject,
  deliver: (take: TakePiece) => Promise<void>,
): Promise<void> {
  const { database, blobs, coordinators, origin, now } = context;
  const importing = coordinators.from({ ...origin, operation: "ImportObject" });
  let extendedAt = Date.now();
  const extending: Promise<unknown>[] = [];
  const deliverExtending = async (take: TakePiece): Promise<void> => {
    isDelivered = true;
    return deliver(async (piece) => {
      if (Date.now() - extendedAt > EXTEND_AFTER_MS) {
        extendedAt = Date.now();
        const extended = database.batch([extendClaim(bucket.id, key, extendedAt + CLAIM_MS)]);
        extending.push(extended.catch(() => undefined));
      }
      await take(piece);
    });
  };
  let isDelivered = false;
  try {
    const target = { database, blobs, coordinators: importing, bucket, key, now };
    if (await importObject(target, remote, deliverExtending)) await context.deliverEvents();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.warn(JSON.stringify({ level: "warn", message: "an object was not imported", reason }));
    // The client gets the bytes all the same. The next read tries again.
    if (!isDelivered) await deliver(() => Promise.resolve()).catch(() => undefined);
    await database.batch([endImport(bucket.id, key)]).catch(() => undefined);
  }
  await Promise.all(extending);
}

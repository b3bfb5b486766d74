// Refuses purges of protected versions: those that a snapshot contains, and those that Object Lock protects. The lookup
// refuses a protected version alone; the guards of the commit refuse whole batches.
import { LOCKED_MESSAGE } from "../../protocol/objects/object-lock.ts";
import type { WriteRefusal } from "../../protocol/objects/conditions.ts";
import { hasObjectLock, lookUpLocked } from "../commit/object-lock.ts";
import type { Database } from "../d1/database.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { PurgeChange } from "./changes.ts";
import { checkSnapshotProtection } from "./snapshot-protection.ts";

/** The refusal of a change that a lock prevents. */
export const LOCKED: WriteRefusal = { code: "AccessDenied", fields: {}, message: LOCKED_MESSAGE };

/** Returns a refusal per purge of a protected version. A bucket without snapshots and Object Lock needs no lookup. */
export async function checkPurgeProtection(
  database: Database,
  bucket: Bucket,
  changes: readonly PurgeChange[],
): Promise<(WriteRefusal | undefined)[]> {
  const ofSnapshots = await checkSnapshotProtection(database, bucket, changes);
  if (!hasObjectLock(bucket)) return ofSnapshots;
  const locked = await database.look(lookUpLocked(bucket.id, changes));
  return changes.map((_change, index) => (locked.has(index) ? LOCKED : ofSnapshots[index]));
}

// Plans the batch of a put, a deletion or a purge from the bucket's versioning and the heads that the conditions were
// evaluated on.
import { nextVersionId, timeOfVersion } from "../../protocol/core/version-id.ts";
import { shownVersionId } from "../../protocol/objects/stored-object.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { CommitPlan, ChangeOutcome, DeleteChange, PutChange, PurgeChange } from "./changes.ts";
import { rowsOf, statement, type Database } from "../d1/database.ts";
import { currentHeads, NO_HEAD, type KeyHead } from "../commit/heads.ts";
import { guardPreconditions, type ActionPrecondition } from "../commit/lifecycle-guard.ts";
import { applyDefaultRetention, bypassGovernance } from "../commit/object-lock.ts";
import { upsertObject } from "../metadata/objects.ts";
import { recordDeletions } from "../metadata/upstream-imports.ts";
import {
  insertDeleteMarkers,
  deleteCurrentRows,
  purgeVersions,
  moveCurrentToVersions,
} from "../commit/version-moves.ts";

/**
 * Plans the batch of the accepted changes.
 * @param heads the heads of the keys that have an accepted change
 * @param rejected changes to leave out, even if another change of the same key is accepted
 */
export type Planner = (
  bucket: Bucket,
  heads: ReadonlyMap<string, KeyHead>,
  now: number,
  rejected: ReadonlySet<unknown>,
) => CommitPlan;

const NOTHING: CommitPlan = {
  statements: [],
  blobIds: [],
  expectedHeads: new Map(),
  events: [],
  readKeys: [],
  created: [],
  writtenAt: undefined,
  isApplied: () => Promise.resolve(true),
  headsAfter: new Map(),
  done: () => ({ isDone: true, versionId: undefined, isNullVersion: false, modifiedAt: 0 }),
};

/**
 * Plans a new version of a key. A repeated call recognises its own commit by the version's new blob or manifest, which no
 * other write shares: in a version, or in the garbage if a later write replaced or purged that version.
 */
export function planPut(change: PutChange): Planner {
  return (bucket, heads, now) => {
    const { key, object, newBlobIds, expectedHeads = new Map(), before = [], after = [], movedFrom } = change;
    const head = heads.get(key);
    const versionId = newVersionId(bucket, now, head);
    const isNullVersion = bucket.versioning !== "Enabled";
    const modifiedAt = change.modifiedAt ?? now;
    const { etag, size } = object;
    let committed: ChangeOutcome = { isDone: true, versionId, isNullVersion, modifiedAt };
    const plan: CommitPlan = {
      ...NOTHING,
      async isApplied(database) {
        // Copies share a manifest with their source, but one with new blobs belongs to this write alone.
        const manifestId = newBlobIds.length > 0 ? object.manifestId : undefined;
        const found = await findCommitted(database, bucket.id, key, versionId, manifestId ?? newBlobIds[0]);
        if (found !== undefined) committed = { isDone: true, ...found };
        return found !== undefined;
      },
      done: () => committed,
    };
    if (head === undefined) return plan;
    const version = { ...object, key, versionId, isNullVersion, modifiedAt };
    const retained = object.retention === undefined ? applyDefaultRetention(bucket, key) : [];
    const isKnown = [...before, ...after].length === 0;
    const moved = head.versionId === null ? [] : moveCurrentToVersions(bucket, JSON.stringify([key]), now);
    return {
      ...plan,
      statements: [...before, ...moved, upsertObject(bucket.id, version), ...retained, ...after],
      blobIds: newBlobIds,
      expectedHeads,
      events: [
        { kind: "created", key, versionId: eventVersionId(bucket, versionId), size, etag },
        ...(movedFrom === undefined
          ? []
          : [{ kind: "deleted", key: movedFrom.key, versionId: undefined, existingId: movedFrom.versionId } as const]),
      ],
      readKeys: change.readKeys ?? (isKnown ? [] : undefined),
      created: [{ key, versionId }],
      writtenAt: timeOfVersion(versionId),
      headsAfter: new Map([[key, { versionId, current: { versionId, etag, size, modifiedAt } }]]),
    };
  };
}

async function findCommitted(
  database: Database,
  bucketId: string,
  key: string,
  versionId: string,
  referenceId: string | undefined,
): Promise<{ versionId: string | undefined; isNullVersion: boolean; modifiedAt: number } | undefined> {
  const of = "bucket_id = ?1 AND key = ?2 AND (version_id = ?3 OR blob_id = ?4 OR manifest_id = ?4)";
  const results = await database.batch([
    statement(
      `SELECT version_id, is_null_version, modified_at FROM objects WHERE ${of}
       UNION ALL SELECT version_id, is_null_version, modified_at FROM versions WHERE ${of}
       UNION ALL SELECT NULL, 1, dropped_at FROM garbage WHERE blob_id = ?4`,
      bucketId,
      key,
      versionId,
      referenceId ?? null,
    ),
  ]);
  const row = rowsOf<{ version_id: string | null; is_null_version: number; modified_at: number }>(results)[0];
  if (row === undefined) return undefined;
  return {
    versionId: row.version_id ?? undefined,
    isNullVersion: row.is_null_version === 1,
    modifiedAt: row.modified_at,
  };
}

/** Plans DELETEs without a version id: they purge in a bucket that was never versioned, else they add a marker. */
export function planDelete(changes: readonly DeleteChange[]): Planner {
  return (bucket, heads, now) => {
    const isMarking = bucket.versioning !== null;
    const accepted = changes.filter(({ key }) => heads.has(key));
    const keys = accepted.map(({ key }) => key).filter((key) => isMarking || heads.get(key)?.current !== undefined);
    // The upstream may have a key that the bucket lacks. The record of its deletion keeps it from being imported.
    const hasUpstream = bucket.configurations.upstream !== null;
    const missing = hasUpstream ? accepted.map(({ key }) => key).filter((key) => !keys.includes(key)) : [];
    if (keys.length === 0 && missing.length === 0) return NOTHING;
    const keysJson = JSON.stringify(keys);
    const markers = new Map(isMarking ? keys.map((key) => [key, newVersionId(bucket, now, heads.get(key))]) : []);
    const created = Array.from(markers, ([key, versionId]) => ({ key, versionId }));
    const ownerId = accepted[0]?.ownerId ?? "";
    const newMarkers = created.map((marker) => ({ ...marker, ownerId, modifiedAt: now }));
    return {
      ...NOTHING,
      events: keys.map((key) => {
        const markerId = markers.get(key);
        return markerId === undefined
          ? { kind: "deleted", key, versionId: undefined }
          : { kind: "marked", key, versionId: eventVersionId(bucket, markerId) };
      }),
      created,
      writtenAt: isMarking ? Math.max(...Array.from(markers.values(), timeOfVersion)) : undefined,
      statements: [
        ...recordDeletions(bucket.id, missing),
        ...guardPreconditions(bucket, preconditionsOf(accepted.filter(({ key }) => keys.includes(key)))),
        ...moveCurrentToVersions(bucket, keysJson, now),
        deleteCurrentRows(bucket.id, keysJson),
        ...(isMarking ? [insertDeleteMarkers(bucket, newMarkers)] : []),
      ],
      async isApplied(database) {
        // A record is written again without harm.
        if (keys.length === 0) return false;
        const fresh = await database.look(currentHeads(bucket.id, keys));
        return keys.every((key) => {
          const head = fresh.get(key) ?? NO_HEAD;
          return isMarking ? head.versionId === markers.get(key) : head.versionId !== heads.get(key)?.versionId;
        });
      },
      headsAfter: new Map(keys.map((key) => [key, { versionId: markers.get(key) ?? null, current: undefined }])),
      done: (key) => ({
        isDone: true,
        versionId: markers.get(key),
        isNullVersion: bucket.versioning === "Suspended",
        modifiedAt: now,
      }),
    };
  };
}

/** Plans purges of versions. The head of a key afterwards is known to D1 alone. */
export function planPurge(changes: readonly PurgeChange[]): Planner {
  return (bucket, heads, now, rejected) => {
    const accepted = changes.filter((change) => heads.has(change.key) && !rejected.has(change));
    const targets = accepted.map(({ key, versionId }) => ({ key, versionId }));
    if (targets.length === 0) return NOTHING;
    return {
      ...NOTHING,
      events: targets.map(({ key, versionId }) => ({
        kind: "deleted",
        key,
        versionId: undefined,
        existingId: versionId,
      })),
      statements: [
        ...guardPreconditions(bucket, preconditionsOf(accepted)),
        ...bypassGovernance(
          bucket.id,
          accepted.filter(({ bypassesGovernance }) => bypassesGovernance === true),
        ),
        ...purgeVersions(bucket.id, targets, now),
      ],
      async isApplied(database) {
        const results = await database.batch([
          statement(
            `SELECT 1 FROM objects WHERE bucket_id = ?1
               AND (key, version_id) IN (SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?2))
             UNION ALL SELECT 1 FROM versions WHERE bucket_id = ?1
               AND (key, version_id) IN (SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?2))`,
            bucket.id,
            JSON.stringify(targets),
          ),
        ]);
        return rowsOf(results).length === 0;
      },
      headsAfter: new Map(targets.map(({ key }) => [key, undefined])),
    };
  };
}

/** The id of a new version in its event; undefined in a bucket that never was versioned. */
function eventVersionId({ versioning }: Bucket, versionId: string): string | undefined {
  if (versioning === null) return undefined;
  return shownVersionId({ versionId, isNullVersion: versioning !== "Enabled" });
}

/** Returns a version id that is later than the key's head and than every snapshot of the bucket. */
function newVersionId({ snapshotFloor }: Bucket, now: number, head: KeyHead | undefined): string {
  return nextVersionId(Math.max(now, (snapshotFloor ?? 0) + 1), head?.versionId ?? undefined);
}

function preconditionsOf(changes: readonly (DeleteChange | PurgeChange)[]): ActionPrecondition[] {
  return changes.flatMap(({ precondition }) => precondition ?? []);
}

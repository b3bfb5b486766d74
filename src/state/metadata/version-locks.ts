// Changes the retention and the legal hold of existing versions. The condition is in the statement, by the database's
// clock, so a concurrent extension is never undone. A version that a concurrent write moves is looked up again.
import { LOCKED_MESSAGE, type LegalHold, type ObjectLock, type Retention } from "../../protocol/objects/object-lock.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { EventOrigin } from "../../protocol/buckets/event-record.ts";
import { rowsOf, statement, type Database, type Lookup, type SqlValue, type Statement } from "../d1/database.ts";
import { insertEvents, versionEvent } from "./bucket-events.ts";
import type { Bucket } from "./buckets.ts";
import { RETENTION } from "./object-columns.ts";
import { lookUpVersion, type VersionFacts } from "./objects.ts";

const TURNS = 3;

/** A version as a request names it, with the facts that its lookup found. */
export interface LockTarget {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  readonly facts: VersionFacts;
  /** Picks the version from the facts, or throws S3Error if it does not exist. */
  readonly choose: (facts: VersionFacts) => StoredObject;
}

/** A version whose lock was changed, and its lock since. */
export interface ChangedLock {
  readonly object: StoredObject;
  readonly lock: ObjectLock;
}

const LOCK_COLUMNS = "retention_mode, retain_until, legal_hold";

interface LockRow {
  readonly retention_mode: string | null;
  readonly retain_until: number | null;
  readonly legal_hold: LegalHold | null;
}

/** A retention is free to change once it has ended. Before, it may be extended; GOVERNANCE may also be bypassed. */
const MAY_CHANGE = `(retain_until IS NULL OR retain_until <= unixepoch('subsec') * 1000
  OR (retention_mode IS ?4 AND retain_until <= ?5) OR (?6 = 1 AND retention_mode = 'GOVERNANCE'))`;

/**
 * Sets a version's retention; undefined removes it.
 * @throws S3Error AccessDenied if the retention in force forbids it, ServiceUnavailable if the version keeps moving
 */
export function setRetention(
  database: Database,
  target: LockTarget,
  retention: Retention | undefined,
  bypassesGovernance: boolean,
  origin: EventOrigin,
): Promise<ChangedLock> {
  const [mode, retainUntil] = [retention?.mode ?? null, retention?.retainUntil ?? null];
  return change(
    database,
    target,
    "retention_mode = ?4, retain_until = ?5",
    MAY_CHANGE,
    [mode, retainUntil, bypassesGovernance ? 1 : 0],
    (bucket, object) => {
      const { key, versionId } = object;
      // A refused change leaves another retention: one that equals the requested one may always be set again.
      const condition = { sql: IS_RETAINED, parameters: [key, versionId, mode, retainUntil] };
      return insertEvents(bucket, origin, [versionEvent("retention", object, { retention })], Date.now(), condition);
    },
  );
}

const IS_RETAINED = `(?3, ?4) IN (
  SELECT key, version_id FROM objects
  WHERE bucket_id = ?2 AND key = ?3 AND version_id = ?4 AND retention_mode IS ?5 AND retain_until IS ?6
  UNION ALL SELECT key, version_id FROM versions
  WHERE bucket_id = ?2 AND key = ?3 AND version_id = ?4 AND retention_mode IS ?5 AND retain_until IS ?6)`;

/** Sets a version's legal hold. @throws S3Error ServiceUnavailable if the version keeps moving */
export function setLegalHold(database: Database, target: LockTarget, legalHold: LegalHold): Promise<ChangedLock> {
  return change(database, target, "legal_hold = ?4", "true", [legalHold], () => []);
}

/** Applies an assignment to the version where a condition holds. Its parameters begin at ?4. */
async function change(
  database: Database,
  { bucketName, key, versionId, facts, choose }: LockTarget,
  assignment: string,
  condition: string,
  parameters: readonly SqlValue[],
  eventsOf: (bucket: Bucket, object: StoredObject) => readonly Statement[],
): Promise<ChangedLock> {
  let found = facts;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const object = choose(found);
    const address = [found.bucket?.id ?? "", key, object.versionId];
    const of = "bucket_id = ?1 AND key = ?2 AND version_id = ?3";
    const update = (table: "objects" | "versions") =>
      statement(`UPDATE ${table} SET ${assignment} WHERE ${of} AND ${condition}`, ...address, ...parameters);
    const results = await database.batch([
      update("objects"),
      update("versions"),
      statement(
        `SELECT ${LOCK_COLUMNS} FROM objects WHERE ${of} UNION ALL SELECT ${LOCK_COLUMNS} FROM versions WHERE ${of}`,
        ...address,
      ),
      ...(found.bucket === undefined ? [] : eventsOf(found.bucket, object)),
    ]);
    const row = rowsOf<LockRow>(results, 2)[0];
    if (row !== undefined) {
      if (!results.slice(0, 2).some(({ changes }) => changes > 0)) {
        throw new S3Error("AccessDenied", {}, LOCKED_MESSAGE);
      }
      const retention = RETENTION.read([row.retention_mode, row.retain_until]);
      return { object, lock: { retention, legalHold: row.legal_hold ?? undefined } };
    }
    found = await database.look(lookUpVersion(bucketName, key, versionId));
  }
  throw new S3Error("ServiceUnavailable");
}

/** The time by the database's clock, in milliseconds since the epoch. */
export function lookUpDatabaseTime(): Lookup<{ readonly databaseNow: number }> {
  return {
    statements: [statement("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now")],
    read: (results) => ({ databaseNow: rowsOf<{ readonly now: number }>(results)[0]?.now ?? 0 }),
  };
}

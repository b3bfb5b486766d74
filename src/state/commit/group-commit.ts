// Commits the new versions that wait at the same moment in one guarded batch, a few set-wise statements for all of them.
// Each is evaluated by itself before it comes here, and each gets an outcome of its own: a group that a guard refuses is
// committed again one by one, and an unknown outcome is read back for each. See "Groups of commits" in
// docs/architecture.md.
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { joinSmallBlobInserts } from "../blobs/small-blobs.ts";
import { rowsOf, statement, type Database, type Statement } from "../d1/database.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { upsertObjects } from "../metadata/objects.ts";
import { commitBatch, guardCommit, type CommitOutcome } from "./commit.ts";
import { moveCurrentToVersions } from "./version-moves.ts";

/** A new version whose conditions hold on the expected head of its key. No other commit in progress has the key. */
export interface GroupMember {
  readonly database: Database;
  readonly bucket: Bucket;
  readonly object: StoredObject;
  /** The newest version of the key; null: none. */
  readonly expectedHead: string | null;
  readonly blobIds: readonly string[];
  /** The statements that insert its small blobs. */
  readonly smallBlobs?: readonly Statement[];
  /** The time in the version id. */
  readonly writtenAt: number;
  /** The statements that write this version alone, without the guard. */
  readonly statements: readonly Statement[];
  /** Reads back whether this version was written, by its version id or its blob. */
  readonly isApplied: () => Promise<boolean>;
}

interface WaitingMember {
  readonly member: GroupMember;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

// A group's parameters stay far below the 2 MB that D1 accepts.
const MAX_MEMBERS = 50;
const MAX_CHARACTERS = 500_000;
// A distant D1 answers later than this, and a longer wait would cost a writer more than it saves the database.
const MAX_WAIT_MS = 5;

/** The commits of one coordinator. */
export class GroupCommits {
  readonly #lanes = new Map<string, Lane>();

  /**
   * Commits a version: at once if no other commit is in flight, and else with all that wait.
   * @throws Error if the schema does not match
   */
  async commit(member: GroupMember): Promise<CommitOutcome> {
    const { database, bucket } = member;
    // What the guard compares, so that one guard holds for the group.
    const name = JSON.stringify([database.name, bucket.name, bucket.id, bucket.versioning, bucket.snapshotFloor]);
    const lane = this.#lanes.get(name) ?? new Lane(() => this.#lanes.delete(name));
    this.#lanes.set(name, lane);
    return lane.commit(member);
  }
}

/** The commits of one expected state of a bucket. */
class Lane {
  #waiting: WaitingMember[] = [];
  #flights = 0;
  #overdue: ReturnType<typeof setTimeout> | undefined;
  readonly #onIdle: () => void;

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  async commit(member: GroupMember): Promise<CommitOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<CommitOutcome>();
    this.#waiting.push({ member, resolve, reject });
    if (this.#flights === 0) void this.#send();
    else this.#overdue ??= setTimeout(() => void this.#send(), MAX_WAIT_MS);
    return promise;
  }

  /** Commits what waits, until nothing does. Never rejects. */
  async #send(): Promise<void> {
    for (let group = this.#takeGroup(); group.length > 0; group = this.#takeGroup()) {
      this.#flights += 1;
      await commitGroup(group);
      // The next changes of these keys arrive now that their heads are known. They join the next group.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#flights -= 1;
    }
    if (this.#flights === 0) this.#onIdle();
  }

  /** Takes the oldest that fit into one batch, at least one. */
  #takeGroup(): readonly WaitingMember[] {
    clearTimeout(this.#overdue ?? 0);
    this.#overdue = undefined;
    let characters = 0;
    const end = this.#waiting.findIndex(({ member }, index) => {
      characters += charactersOf(member);
      return index > 0 && (index === MAX_MEMBERS || characters > MAX_CHARACTERS);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }
}

/** Commits a group and gives each member its outcome. Never rejects. */
async function commitGroup(group: readonly WaitingMember[]): Promise<void> {
  const members = group.map(({ member }) => member);
  const [first] = members;
  if (first === undefined) return;
  let outcome: CommitOutcome | undefined;
  try {
    outcome = members.length === 1 ? await commitAlone(first) : await commitTogether(first, members);
  } catch (error) {
    for (const { reject } of group) reject(error);
    return;
  }
  if (members.length === 1 || outcome === "applied") {
    for (const { resolve } of group) resolve(outcome);
    return;
  }
  await Promise.all(
    group.map(async ({ member, resolve, reject }) =>
      // Nothing of a refused group is written, and each member may fail for another reason than the first that did.
      (outcome === "unknown" ? readBack(member) : commitAlone(member)).then(resolve, reject),
    ),
  );
}

async function commitAlone(member: GroupMember): Promise<CommitOutcome> {
  const { database, bucket, object, expectedHead, blobIds, writtenAt, statements, isApplied } = member;
  const guard = guardCommit(bucket, new Map([[object.key, expectedHead]]), blobIds, writtenAt);
  return commitBatch(database, [guard, ...statements], isApplied);
}

async function commitTogether(
  { database, bucket }: GroupMember,
  members: readonly GroupMember[],
): Promise<CommitOutcome> {
  const heads = new Map(members.map(({ object, expectedHead }) => [object.key, expectedHead]));
  const blobIds = members.flatMap((member) => member.blobIds);
  const writtenAt = Math.max(...members.map((member) => member.writtenAt));
  const replaced = members.filter(({ expectedHead }) => expectedHead !== null).map(({ object }) => object.key);
  const objects = members.map(({ object }) => object);
  return commitBatch(
    database,
    [
      guardCommit(bucket, heads, blobIds, writtenAt),
      ...joinSmallBlobInserts(members.flatMap(({ smallBlobs = [] }) => smallBlobs)),
      ...(replaced.length === 0 ? [] : moveCurrentToVersions(bucket, JSON.stringify(replaced), Date.now())),
      upsertObjects(bucket.id, objects),
    ],
    async () => isAnyWritten(database, bucket.id, objects),
  );
}

/**
 * Whether the batch of a group was applied. Only this batch writes these version ids, and it writes all or none, so one
 * found version proves it. A member's blob would prove nothing: a repeated call of the member may have committed it alone.
 */
async function isAnyWritten(database: Database, bucketId: string, objects: readonly StoredObject[]): Promise<boolean> {
  const ofGroup = `bucket_id = ?1 AND (key, version_id) IN (
    SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?2))`;
  const found = await database.batch([
    statement(
      `SELECT 1 FROM objects WHERE ${ofGroup} UNION ALL SELECT 1 FROM versions WHERE ${ofGroup} LIMIT 1`,
      bucketId,
      JSON.stringify(objects.map(({ key, versionId }) => ({ key, versionId }))),
    ),
  ]);
  return rowsOf(found).length > 0;
}

/** Reads back one member of a group whose outcome is unknown. */
async function readBack({ isApplied }: GroupMember): Promise<CommitOutcome> {
  return isApplied().then(
    (found) => (found ? "applied" : "unknown"),
    () => "unknown",
  );
}

function charactersOf({ object, smallBlobs = [] }: GroupMember): number {
  const parameters = smallBlobs.flatMap((insert) => insert.parameters.map(String));
  return JSON.stringify(object).length + parameters.reduce((sum, { length }) => sum + length, 0);
}

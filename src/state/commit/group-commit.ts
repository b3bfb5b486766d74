// Commits the changes that wait at the same moment in one guarded batch. Each is evaluated by itself before it comes here,
// and each gets an outcome of its own: a group that a guard refuses is committed again one by one, and an unknown outcome
// is read back for each. See "Groups of commits" in docs/architecture.md.
import { rowsOf, statement, type Database, type Statement } from "../d1/database.ts";
import { joinBatches } from "../d1/joined-statements.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { commitBatch, guardCommit, type CommitOutcome, type ExpectedHeads } from "./commit.ts";
import { takeGroup } from "./group-members.ts";
import type { VersionTarget } from "./version-moves.ts";

/** A change whose conditions hold on the expected heads of its keys. */
export interface GroupMember {
  readonly database: Database;
  readonly bucket: Bucket;
  /** The newest version of each key that the change may write; null: none. */
  readonly expectedHeads: ExpectedHeads;
  /** Keys that its statements read and do not write. */
  readonly readKeys: readonly string[];
  /** The versions and delete markers that it creates. */
  readonly created: readonly VersionTarget[];
  readonly blobIds: readonly string[];
  /** The time in the newest id of a created version; undefined: none is created. */
  readonly writtenAt: number | undefined;
  /** The statements that make this change alone, without the guard. */
  readonly statements: readonly Statement[];
  /** Reads back whether this change was made. */
  readonly isApplied: () => Promise<boolean>;
}

interface WaitingMember {
  readonly member: GroupMember;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

// A distant D1 answers later than this, and a longer wait would cost a writer more than it saves the database.
const MAX_WAIT_MS = 5;

/** The commits of one coordinator. */
export class GroupCommits {
  readonly #lanes = new Map<string, Lane>();

  /**
   * Commits a change: at once if no other commit is in flight, and else with those that wait.
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
  readonly #waiting: WaitingMember[] = [];
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
      // The next changes of these keys arrive now that their heads are known. They join the next group. After a change that was
      // alone there is nothing to gather, and a timer takes time before its answer leaves.
      if (group.length > 1 || this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 0));
      this.#flights -= 1;
    }
    if (this.#flights === 0) this.#onIdle();
  }

  #takeGroup(): readonly WaitingMember[] {
    if (this.#overdue !== undefined) clearTimeout(this.#overdue);
    this.#overdue = undefined;
    return takeGroup(this.#waiting);
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
  const { database, bucket, expectedHeads, blobIds, writtenAt, statements, isApplied } = member;
  const guard = guardCommit(bucket, expectedHeads, blobIds, writtenAt);
  return commitBatch(database, [guard, ...statements], isApplied);
}

async function commitTogether(
  { database, bucket }: GroupMember,
  members: readonly GroupMember[],
): Promise<CommitOutcome> {
  const heads = new Map(members.flatMap(({ expectedHeads }) => Array.from(expectedHeads)));
  const blobIds = members.flatMap((member) => member.blobIds);
  const times = members.flatMap(({ writtenAt }) => writtenAt ?? []);
  const guard = guardCommit(bucket, heads, blobIds, times.length === 0 ? undefined : Math.max(...times));
  const created = members.flatMap((member) => member.created);
  return commitBatch(database, [guard, ...joinBatches(members.map(({ statements }) => statements))], async () =>
    created.length > 0 ? isAnyCreated(database, bucket.id, created) : areAllApplied(members),
  );
}

/**
 * Whether the batch of a group was applied. Only this batch creates these versions, and it creates all or none, so one
 * found version proves it. A member's blob would prove nothing: a repeated call of the member may have committed it alone.
 */
async function isAnyCreated(database: Database, bucketId: string, created: readonly VersionTarget[]): Promise<boolean> {
  const ofGroup = `bucket_id = ?1 AND (key, version_id) IN (
    SELECT value ->> 'key', value ->> 'versionId' FROM json_each(?2))`;
  const found = await database.batch([
    statement(
      `SELECT 1 FROM objects WHERE ${ofGroup} UNION ALL SELECT 1 FROM versions WHERE ${ofGroup} LIMIT 1`,
      bucketId,
      JSON.stringify(created),
    ),
  ]);
  return rowsOf(found).length > 0;
}

/** Whether a group that only deletes was applied: if one version is still there, nothing was deleted. */
async function areAllApplied(members: readonly GroupMember[]): Promise<boolean> {
  return (await Promise.all(members.map(async ({ isApplied }) => isApplied()))).every(Boolean);
}

/** Reads back one member of a group whose outcome is unknown. */
async function readBack({ isApplied }: GroupMember): Promise<CommitOutcome> {
  return isApplied().then(
    (found) => (found ? "applied" : "unknown"),
    () => "unknown",
  );
}

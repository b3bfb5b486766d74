// The Durable Object in which the writes of a key meet: it orders them, evaluates their preconditions on the key's head
// and commits each as one guarded batch. It holds nothing that D1 does not; losing it costs nothing.
import { DurableObject } from "cloudflare:workers";

import { refuseWrite, type WriteConditions, type WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { lookUpBucket } from "../metadata/buckets.ts";
import type { CommitPlan, ChangeOutcome, CoordinatorAnswer, DeleteChange, PutChange, PurgeChange } from "./changes.ts";
import { planDelete, planPut, planPurge } from "./commit-plans.ts";
import { commitBatch, guardCommit, unavailable, type CommitOutcome } from "../commit/commit.ts";
import { Counts } from "../d1/counts.ts";
import { Database } from "../d1/database.ts";
import { currentHeads, NO_HEAD, type KeyHead } from "../commit/heads.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { checkSnapshotProtection } from "./snapshot-protection.ts";

/** What the queue is asked to do with some keys: who changes them, and how a plan is made for those that may. */
interface WriteBatch<Change extends AnyChange> {
  readonly changes: readonly Change[];
  /** Other keys whose heads must be as they were seen. */
  readonly expectedHeads?: ReadonlyMap<string, string | null>;
  readonly plan: (
    bucket: Bucket,
    heads: ReadonlyMap<string, KeyHead>,
    now: number,
    refused: ReadonlySet<unknown>,
  ) => CommitPlan;
  /** Looks up what stands against each change besides its conditions, as long as the bucket is as it is here. */
  readonly refuse?: (database: Database, bucket: Bucket) => Promise<readonly (WriteRefusal | undefined)[]>;
}

interface AnyChange {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
}

// A head can only go stale through another live instance of this object, so a few turns are many.
const MAX_TURNS = 5;

export class KeyCoordinator extends DurableObject {
  readonly #queue = new KeyedQueue<KeyHead>();

  /**
   * Commits a new version of a key.
   * @param isRepeated whether an earlier call's answer was lost, so that its commit may be there already
   */
  async put(bucket: Bucket, change: PutChange, isRepeated: boolean): Promise<CoordinatorAnswer> {
    return this.#answer(bucket, { changes: [change], plan: planPut(change) }, isRepeated);
  }

  /** Answers, so that a caller sees that coordinators are in reach. */
  ping(): Promise<true> {
    return Promise.resolve(true);
  }

  /** Deletes keys as a DELETE without a version id does; each key has an outcome of its own. */
  async delete(bucket: Bucket, changes: readonly DeleteChange[]): Promise<CoordinatorAnswer> {
    return this.#answer(bucket, { changes, plan: planDelete(changes) }, false);
  }

  /** Removes versions for good; each has an outcome of its own. */
  async purge(bucket: Bucket, changes: readonly PurgeChange[]): Promise<CoordinatorAnswer> {
    const refuse = (database: Database, evaluated: Bucket) => checkSnapshotProtection(database, evaluated, changes);
    return this.#answer(bucket, { changes, plan: planPurge(changes), refuse }, false);
  }

  async #answer<Change extends AnyChange>(
    bucket: Bucket,
    writeBatch: WriteBatch<Change>,
    isRepeated: boolean,
  ): Promise<CoordinatorAnswer> {
    const counts = new Counts();
    const database = new Database(this.env.DB, counts);
    const keys = writeBatch.changes.map((change) => queueKey(bucket, change.key));
    const outcomes = await this.#queue.run(keys, () => this.#settle(database, bucket, writeBatch, isRepeated));
    return { outcomes: isRepeated ? outcomes.map(asUnknown) : outcomes, counts: counts.snapshot() };
  }

  /**
   * Evaluates conditions and commits the changes whose conditions hold, all in one batch. Where the heads or the bucket
   * turn out to be others than those that were judged, they are read again and judged again.
   */
  async #settle<Change extends AnyChange>(
    database: Database,
    seenBucket: Bucket,
    { changes, plan, refuse }: WriteBatch<Change>,
    isRepeated: boolean,
  ): Promise<ChangeOutcome[]> {
    let bucket = seenBucket;
    // A writer just before us on a key knows its head better than the request that queued behind it, unless another live
    // instance of this object knows better still: what is concluded from a trace is always put to the guard.
    let cachedHeads = this.#traces(bucket, changes);
    let heads = new Map(changes.map(({ key, observedHead }) => [key, cachedHeads.get(key) ?? observedHead]));
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const now = Date.now();
      const besides = await refuse?.(database, bucket);
      const refusals = judge(changes, heads).map((refusal, index) => refusal ?? besides?.[index]);
      const willing = new Map(
        changes.flatMap(({ key }, index) => (refusals[index] === undefined ? [[key, heads.get(key) ?? NO_HEAD]] : [])),
      );
      const refused = new Set(changes.filter((_change, index) => refusals[index] !== undefined));
      const planned = plan(bucket, willing, now, refused);
      // Its own commit would break the conditions of a call that is repeated, so it is looked for first.
      if (isRepeated && (await planned.isApplied(database))) {
        this.#forget(bucket, changes);
        return changes.map(({ key }) => planned.done(key));
      }
      const outcome = await this.#commit(
        database,
        bucket,
        new Map([...cachedHeads, ...willing]),
        planned,
        cachedHeads.size > 0,
      );
      if (outcome === "bucket changed") {
        const { bucket: fresh } = await database.look(lookUpBucket(bucket.name));
        if (fresh?.id !== bucket.id) return changes.map(() => refusedBy(outcome, bucket));
        bucket = fresh;
      } else if (outcome === "head changed") {
        const fresh = await database.look(currentHeads(bucket.id, Array.from(heads.keys())));
        // Where these heads are as they were judged, it is a witness that has moved, which only the caller can look up.
        if (Array.from(heads).every(([key, head]) => fresh.get(key)?.versionId === head.versionId)) break;
        heads = fresh;
        cachedHeads = new Map();
      } else if (outcome === "applied") {
        return this.#done(bucket, changes, planned, refusals);
      } else {
        this.#forget(bucket, changes);
        return refusals.map((refusal) => refusalOutcome(refusal) ?? refusedBy(outcome, bucket));
      }
    }
    return changes.map(() => refusedBy("head changed", bucket));
  }

  async #commit(
    database: Database,
    bucket: Bucket,
    evaluated: ReadonlyMap<string, KeyHead>,
    planned: CommitPlan,
    isFromCache: boolean,
  ): Promise<CommitOutcome> {
    const { statements, blobIds, expectedHeads, writtenAt } = planned;
    const expected = new Map(expectedHeads);
    for (const [key, { versionId }] of evaluated) expected.set(key, versionId);
    if (statements.length > 0) {
      const batch = [guardCommit(bucket, expected, blobIds, writtenAt), ...statements];
      return commitBatch(database, batch, () => planned.isApplied(database));
    }
    // No change is left to make: if nothing but what the requests themselves saw was judged, that stands.
    if (!isFromCache) return "applied";
    return commitBatch(database, [guardCommit(bucket, expected, [])], () => Promise.resolve(false));
  }

  #done(
    bucket: Bucket,
    changes: readonly AnyChange[],
    planned: CommitPlan,
    refusals: readonly (WriteRefusal | undefined)[],
  ): ChangeOutcome[] {
    for (const [key, head] of planned.headsAfter) {
      if (head === undefined) this.#queue.dropCachedHead(queueKey(bucket, key));
      else this.#queue.cacheHead(queueKey(bucket, key), head);
    }
    return changes.map(({ key }, index) => refusalOutcome(refusals[index]) ?? planned.done(key));
  }

  #forget(bucket: Bucket, changes: readonly AnyChange[]): void {
    for (const { key } of changes) this.#queue.dropCachedHead(queueKey(bucket, key));
  }

  /** What earlier tasks in the queue have left behind for these keys. */
  #traces(bucket: Bucket, changes: readonly AnyChange[]): Map<string, KeyHead> {
    const traces = new Map<string, KeyHead>();
    for (const { key } of changes) {
      const trace = this.#queue.cachedHeadOf(queueKey(bucket, key));
      if (trace !== undefined) traces.set(key, trace);
    }
    return traces;
  }
}

/** What stands against each change. A key that stands twice is gone, or has a marker, when its second turn comes. */
function judge(changes: readonly AnyChange[], heads: ReadonlyMap<string, KeyHead>): (WriteRefusal | undefined)[] {
  const keys = new Set<string>();
  return changes.map(({ key, observedHead, conditions }) => {
    const current = keys.has(key) ? undefined : (heads.get(key) ?? NO_HEAD).current;
    const refusal = refuseWrite(conditions, key, observedHead.current, current);
    if (refusal === undefined) keys.add(key);
    return refusal;
  });
}

function queueKey(bucket: Bucket, key: string): string {
  return `${bucket.id}/${key}`;
}

function refusalOutcome(refusal: WriteRefusal | undefined): ChangeOutcome | undefined {
  return refusal === undefined ? undefined : { isDone: false, reason: "refused", refusal, isDefinite: true };
}

function refusedBy(outcome: Exclude<CommitOutcome, "applied">, bucket: Bucket): ChangeOutcome {
  const refusal: WriteRefusal =
    outcome === "bucket changed"
      ? { code: "NoSuchBucket", fields: { BucketName: bucket.name } }
      : { code: unavailable(outcome), fields: {} };
  return { isDone: false, reason: outcome, refusal, isDefinite: outcome !== "unknown" };
}

/** A repeated call cannot refuse: its first try may still be on its way to D1. */
function asUnknown(outcome: ChangeOutcome): ChangeOutcome {
  return outcome.isDone
    ? outcome
    : { isDone: false, reason: "unknown", refusal: { code: "ServiceUnavailable", fields: {} }, isDefinite: false };
}

// The Durable Object that orders the writes of each key, evaluates their preconditions on the key's head and commits
// them as one guarded batch. It keeps no state that D1 lacks, so losing an instance loses nothing.
import { DurableObject } from "cloudflare:workers";

import type { WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { EventOrigin } from "../../protocol/buckets/event-record.ts";
import { fromWire } from "./coordinator-wire.ts";
import type { Bucket } from "../metadata/buckets.ts";
import { lookUpBucket } from "../metadata/buckets.ts";
import type {
  ChangeOutcome,
  CommitPlan,
  CoordinatorAnswer,
  CoordinatorWrite,
  DeleteChange,
  PurgeChange,
  PutChange,
} from "./changes.ts";
import { withEvents } from "./plan-events.ts";
import { planDelete, planPut, planPurge, type Planner } from "./commit-plans.ts";
import { evaluateConditions, type AnyChange } from "./evaluate-conditions.ts";
import { commitBatch, guardCommit, type CommitOutcome } from "../commit/commit.ts";
import { Counts } from "../d1/counts.ts";
import { type Database, FIRST_DATABASE } from "../d1/database.ts";
import { databaseBindings, Databases } from "../d1/databases.ts";
import { asUnknown, refusalOutcome, refusedBy, refusedOutcome } from "./change-outcomes.ts";
import { Contenders } from "./contenders.ts";
import { GroupCommits } from "../commit/group-commit.ts";
import { currentHeads, NO_HEAD, type KeyHead } from "../commit/heads.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { checkPurgeProtection } from "./purge-protection.ts";

/** A set of changes that are evaluated and committed together. */
interface WriteBatch<Change extends AnyChange> {
  readonly changes: readonly Change[];
  /** Expected heads of other keys. */
  readonly expectedHeads?: ReadonlyMap<string, string | null>;
  readonly plan: Planner;
  /** Looks up refusals that do not depend on conditions. They hold as long as the bucket is unchanged. */
  readonly refuse?: (database: Database, bucket: Bucket) => Promise<readonly (WriteRefusal | undefined)[]>;
}

// Only another live instance of this object can make a head stale, so few turns suffice.
const MAX_TURNS = 5;

export class KeyCoordinator extends DurableObject {
  readonly #queue = new KeyedQueue<KeyHead>();
  readonly #groups = new GroupCommits();
  readonly #contenders = new Contenders();

  /**
   * Commits a new version of a key of a bucket in the first database.
   * @param isRepeated whether the answer of an earlier call was lost, so that its commit may exist
   */
  async put(bucket: Bucket, change: PutChange, isRepeated: boolean): Promise<CoordinatorAnswer> {
    return this.writeIn(FIRST_DATABASE, bucket, { kind: "put", change, isRepeated }, undefined);
  }

  /** Answers a health check. */
  ping(): Promise<true> {
    return Promise.resolve(true);
  }

  /** Deletes keys like DELETE without a version id; one outcome per change. */
  async delete(bucket: Bucket, changes: readonly DeleteChange[]): Promise<CoordinatorAnswer> {
    return this.writeIn(FIRST_DATABASE, bucket, { kind: "delete", changes }, undefined);
  }

  /** Purges versions; one outcome per change. Workers of the release before call it by this name. */
  async remove(bucket: Bucket, changes: readonly PurgeChange[]): Promise<CoordinatorAnswer> {
    return this.writeIn(FIRST_DATABASE, bucket, { kind: "purge", changes }, undefined);
  }

  /**
   * Writes to a bucket in any database. Coordinators of the release before lack this method, so that a call that meets one
   * fails instead of writing to the first database or losing events.
   * @param origin who writes, for the events; undefined: the bucket asks for none
   */
  async writeIn(
    databaseName: string,
    bucket: Bucket,
    write: CoordinatorWrite,
    origin: EventOrigin | undefined,
  ): Promise<CoordinatorAnswer> {
    const counts = new Counts();
    const database = new Databases(databaseBindings(this.env), counts).named(databaseName);
    const outcomes = await this.#write(database, bucket, write, origin);
    const isRepeated = write.kind === "put" && write.isRepeated;
    return { outcomes: isRepeated ? outcomes.map(asUnknown) : outcomes, counts: counts.snapshot() };
  }

  async #write(
    database: Database,
    bucket: Bucket,
    write: CoordinatorWrite,
    origin: EventOrigin | undefined,
  ): Promise<ChangeOutcome[]> {
    switch (write.kind) {
      case "put": {
        const change = fromWire(write.change);
        const writeBatch = { changes: [change], plan: withEvents(planPut(change), origin) };
        if (write.isRepeated) return this.#inTurn(database, bucket, writeBatch, true);
        return this.#putInTurn(database, bucket, writeBatch, change);
      }
      case "delete": {
        const changes = write.changes.map(fromWire);
        return this.#inTurn(database, bucket, { changes, plan: withEvents(planDelete(changes), origin) }, false);
      }
      case "purge": {
        const changes = write.changes.map(fromWire);
        const refuse = (reader: Database, evaluated: Bucket) => checkPurgeProtection(reader, evaluated, changes);
        return this.#inTurn(database, bucket, { changes, plan: withEvents(planPurge(changes), origin), refuse }, false);
      }
    }
  }

  /** Waits until the earlier writes of all keys are done. */
  async #inTurn<Change extends AnyChange>(
    database: Database,
    bucket: Bucket,
    writeBatch: WriteBatch<Change>,
    isRepeated: boolean,
  ): Promise<ChangeOutcome[]> {
    const keys = writeBatch.changes.map((change) => queueKey(bucket, change.key));
    return this.#queue.run(keys, () => this.#commitChanges(database, bucket, writeBatch, isRepeated));
  }

  /** Waits like {@link #inTurn}, but only until an earlier write of the key makes the conditions fail. */
  async #putInTurn(
    database: Database,
    bucket: Bucket,
    writeBatch: WriteBatch<PutChange>,
    change: PutChange,
  ): Promise<ChangeOutcome[]> {
    const key = queueKey(bucket, change.key);
    const contender = this.#contenders.add(key, change);
    const refused = contender.refusal.then((refusal) => [refusedOutcome(refusal)]);
    const done = this.#queue.run([key], async () => {
      this.#contenders.remove(key, contender);
      return contender.isRefused ? refused : this.#commitChanges(database, bucket, writeBatch, false);
    });
    return Promise.race([refused, done]);
  }

  /**
   * Evaluates the conditions of all changes and commits those that hold in one batch. If the bucket or a head has
   * changed since, it is read again and the conditions are evaluated again.
   */
  async #commitChanges<Change extends AnyChange>(
    database: Database,
    observedBucket: Bucket,
    { changes, plan, refuse }: WriteBatch<Change>,
    isRepeated: boolean,
  ): Promise<ChangeOutcome[]> {
    let bucket = observedBucket;
    // The previous write of a key leaves a newer head than the one that a queued request observed. A cached head can
    // still be stale if another instance is live, so the guard checks every decision based on one.
    let cachedHeads = this.#cachedHeads(bucket, changes);
    let heads = new Map(changes.map(({ key, observedHead }) => [key, cachedHeads.get(key) ?? observedHead]));
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const now = Date.now();
      const otherRefusals = await refuse?.(database, bucket);
      const refusals = evaluateConditions(changes, heads).map((refusal, index) => refusal ?? otherRefusals?.[index]);
      const acceptedHeads = new Map(
        changes.flatMap(({ key }, index) => (refusals[index] === undefined ? [[key, heads.get(key) ?? NO_HEAD]] : [])),
      );
      const rejected = new Set(changes.filter((_change, index) => refusals[index] !== undefined));
      const planned = plan(bucket, acceptedHeads, now, rejected);
      // A repeated call would fail its conditions on its own commit, so that commit is looked up first.
      if (isRepeated && (await planned.isApplied(database))) {
        this.#discardCachedHeads(bucket, changes);
        return changes.map(({ key }) => planned.done(key));
      }
      const contenders = changes.map(({ key }) => [key, this.#contenders.waitingFor(queueKey(bucket, key))] as const);
      const outcome = await this.#commit(database, bucket, new Map([...cachedHeads, ...acceptedHeads]), planned, {
        isFromCache: cachedHeads.size > 0,
        isRepeated,
      });
      // A lock that was set since the lookup: the next turn refuses the locked version alone.
      if (outcome === "bucket changed" || (outcome === "version locked" && turn === 0)) {
        const { bucket: fresh } = await database.look(lookUpBucket(bucket.name));
        if (fresh?.id !== bucket.id) return changes.map(() => refusedBy("bucket changed", bucket));
        bucket = fresh;
      } else if (outcome === "head changed") {
        const fresh = await database.look(currentHeads(bucket.id, Array.from(heads.keys())));
        // If these heads are unchanged, an expected head of another key has moved, which only the caller can look up.
        if (Array.from(heads).every(([key, head]) => fresh.get(key)?.versionId === head.versionId)) break;
        heads = fresh;
        cachedHeads = new Map();
      } else if (outcome === "applied") {
        for (const [key, waiting] of contenders) {
          const head = confirmedHead(planned, cachedHeads, key);
          if (head !== undefined) for (const contender of waiting) contender.evaluate(head);
        }
        return this.#done(bucket, changes, planned, refusals);
      } else {
        this.#discardCachedHeads(bucket, changes);
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
    { isFromCache, isRepeated }: { readonly isFromCache: boolean; readonly isRepeated: boolean },
  ): Promise<CommitOutcome> {
    const { statements, blobIds, expectedHeads, writtenAt, readKeys, created } = planned;
    const isApplied = async (): Promise<boolean> => planned.isApplied(database);
    const expected = new Map(expectedHeads);
    for (const [key, { versionId }] of evaluated) expected.set(key, versionId);
    // A repeated call must not share the outcome of others: its earlier try may still reach D1.
    if (statements.length > 0 && readKeys !== undefined && !isRepeated) {
      const of = { database, bucket, expectedHeads: expected, readKeys, created };
      return this.#groups.commit({ ...of, blobIds, writtenAt, statements, isApplied });
    }
    if (statements.length > 0) {
      const batch = [guardCommit(bucket, expected, blobIds, writtenAt), ...statements];
      return commitBatch(database, batch, isApplied);
    }
    // Nothing to write. A decision on observed heads is final; one on cached heads needs the guard's confirmation.
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
      if (head === undefined) this.#queue.discardCachedHead(queueKey(bucket, key));
      else this.#queue.cacheHead(queueKey(bucket, key), head);
    }
    return changes.map(({ key }, index) => refusalOutcome(refusals[index]) ?? planned.done(key));
  }

  #discardCachedHeads(bucket: Bucket, changes: readonly AnyChange[]): void {
    for (const { key } of changes) this.#queue.discardCachedHead(queueKey(bucket, key));
  }

  /** Returns the heads that earlier writes in the queue left for these keys. */
  #cachedHeads(bucket: Bucket, changes: readonly AnyChange[]): Map<string, KeyHead> {
    const cachedHeads = new Map<string, KeyHead>();
    for (const { key } of changes) {
      const head = this.#queue.cachedHeadOf(queueKey(bucket, key));
      if (head !== undefined) cachedHeads.set(key, head);
    }
    return cachedHeads;
  }
}

function queueKey(bucket: Bucket, key: string): string {
  return `${bucket.id}/${key}`;
}

/**
 * The head that a key had when an applied batch was executed. Undefined if an earlier try than this batch may have been
 * the one that was applied, or if no batch was sent.
 */
function confirmedHead(
  planned: CommitPlan,
  cachedHeads: ReadonlyMap<string, KeyHead>,
  key: string,
): KeyHead | undefined {
  if (planned.statements.length === 0) return cachedHeads.get(key);
  const head = planned.headsAfter.get(key);
  const outcome = planned.done(key);
  return head !== undefined && outcome.isDone && outcome.versionId === head.versionId ? head : undefined;
}

// The Durable Object in which the writes of a key meet: it orders them, evaluates their preconditions on the current
// version and commits each as one guarded batch. It holds nothing that D1 does not; losing it costs nothing.
import { DurableObject } from "cloudflare:workers";

import { nextVersionId } from "../protocol/version-id.ts";
import type { ObjectFacts } from "../protocol/stored-object.ts";
import type { Bucket } from "./buckets.ts";
import { refuseWrite, type ConditionSubject, type WriteConditions, type WriteRefusal } from "../protocol/conditions.ts";
import { commitBatch, guardCommit, isCurrent, type CommitOutcome, type ExpectedHeads } from "./commit.ts";
import { Counts, type CountSnapshot } from "./counts.ts";
import type { Database } from "./database.ts";
import { KeyedQueue } from "./keyed-queue.ts";
import { metadataShard } from "./metadata-shards.ts";
import { commitOfBlob, currentHeads, deleteObjects, dropBlobsOf, upsertObject } from "./objects.ts";

/** A write or deletion of one key: its conditions, and the current version that its request saw when it began. */
export interface KeyChange {
  readonly key: string;
  readonly seen: ConditionSubject | undefined;
  readonly conditions: WriteConditions;
}

/** A new version whose bytes are stored already. */
export interface PutChange extends KeyChange {
  readonly object: ObjectFacts;
}

/** How one key's change ended. */
export type ChangeOutcome =
  | { readonly isDone: true; readonly versionId: string | undefined; readonly modifiedAt: number }
  | { readonly isDone: false; readonly refusal: WriteRefusal; readonly isDefinite: boolean };

/** What a call answers: an outcome per change, and what it cost. */
export interface CoordinatorAnswer {
  readonly outcomes: readonly ChangeOutcome[];
  readonly counts: CountSnapshot;
}

/**
 * What an earlier try of a repeated call has done for a change already; undefined for nothing that is known. Asked in
 * every turn, before conditions are evaluated: they would be found broken by the call's own commit.
 */
type EarlierTry = (change: KeyChange, current: ConditionSubject | undefined) => Promise<ChangeOutcome | undefined>;

/** The head of a key as the last task left it; undefined where the key has no current version. */
interface HeadTrace {
  readonly head: ConditionSubject | undefined;
}

// A head can only go stale through another live instance of this object, so a few turns are many.
const MAX_TURNS = 5;

export class KeyCoordinator extends DurableObject {
  readonly #queue = new KeyedQueue<HeadTrace>();

  /**
   * Commits a new version of a key. A call that is repeated because its answer was lost finds its own commit by the
   * blob, which no other write shares, also where another writer has replaced it since.
   */
  async put(bucket: Bucket, change: PutChange, isRepeated: boolean): Promise<CoordinatorAnswer> {
    const counts = new Counts();
    const database = metadataShard(this.env, bucket.name, counts);
    const { key, object } = change;
    const findCommit: EarlierTry = async () => {
      const committed = await database.look(commitOfBlob(bucket.id, key, object.blobId));
      return committed === undefined ? undefined : { isDone: true, ...committed };
    };
    const outcomes = await this.#queue.run([queueKey(bucket, key)], () =>
      this.#settle(
        database,
        bucket,
        [change],
        (now, heads) => this.#put(database, bucket, change, now, heads),
        isRepeated ? findCommit : undefined,
      ),
    );
    return { outcomes: isRepeated ? outcomes.map(leftOpen) : outcomes, counts: counts.snapshot() };
  }

  /**
   * Removes the current versions of keys; each key has an outcome of its own. A call that is repeated removes only what
   * its request saw: what has come since is not to be taken away by a deletion that may have happened already.
   */
  async delete(bucket: Bucket, changes: readonly KeyChange[], isRepeated: boolean): Promise<CoordinatorAnswer> {
    const counts = new Counts();
    const database = metadataShard(this.env, bucket.name, counts);
    const outcomes = await this.#queue.run(
      changes.map((change) => queueKey(bucket, change.key)),
      () =>
        this.#settle(
          database,
          bucket,
          changes,
          (now, heads) => this.#delete(database, bucket, heads, now),
          isRepeated ? headHasMoved : undefined,
        ),
    );
    return { outcomes: isRepeated ? outcomes.map(leftOpen) : outcomes, counts: counts.snapshot() };
  }

  /**
   * Evaluates conditions and commits those that hold; on a head that turns out stale it reads the heads again and
   * starts over.
   */
  async #settle(
    database: Database,
    bucket: Bucket,
    changes: readonly KeyChange[],
    commit: (now: number, heads: ReadonlyMap<string, ConditionSubject | undefined>) => Promise<Committed>,
    earlierTry?: EarlierTry,
  ): Promise<ChangeOutcome[]> {
    let heads = new Map(changes.map((change) => [change.key, this.#knownHead(bucket, change)]));
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const now = Date.now();
      const settled: (ChangeOutcome | undefined)[] = [];
      const willing = new Map<string, ConditionSubject | undefined>();
      for (const change of changes) {
        const { key, seen, conditions } = change;
        const isSecond = willing.has(key);
        // A key that stands twice is gone when its second turn comes.
        const current = isSecond ? undefined : heads.get(key);
        const earlier = isSecond ? undefined : await earlierTry?.(change, current);
        const refusal = earlier === undefined ? refuseWrite(conditions, key, seen, current) : undefined;
        settled.push(refusal === undefined ? earlier : { isDone: false, refusal, isDefinite: true });
        if (earlier === undefined && refusal === undefined && !isSecond) willing.set(key, current);
      }
      const { outcome, versionId } = willing.size === 0 ? NOTHING_TO_COMMIT : await commit(now, willing);
      if (outcome === "head changed") {
        const fresh = await database.look(currentHeads(bucket.id, Array.from(heads.keys())));
        heads = new Map(changes.map(({ key }) => [key, fresh.get(key)]));
        continue;
      }
      return changes.map(({ key }, index): ChangeOutcome => {
        const already = settled[index];
        if (already !== undefined) return already;
        if (outcome === "applied") return { isDone: true, versionId, modifiedAt: now };
        this.#queue.dropTrace(queueKey(bucket, key));
        return failedOutcome(outcome, bucket);
      });
    }
    return changes.map(() => failedOutcome("head changed", bucket));
  }

  /** A writer just before us on this key knows its head better than the request that queued behind it. */
  #knownHead(bucket: Bucket, change: KeyChange): ConditionSubject | undefined {
    const trace = this.#queue.traceOf(queueKey(bucket, change.key));
    return trace === undefined ? change.seen : trace.head;
  }

  async #put(
    database: Database,
    bucket: Bucket,
    { key, object }: PutChange,
    now: number,
    heads: ReadonlyMap<string, ConditionSubject | undefined>,
  ): Promise<Committed> {
    const head = heads.get(key);
    const versionId = nextVersionId(now, head?.versionId);
    const replaced = head === undefined ? [] : [dropBlobsOf(bucket.id, JSON.stringify([key]), now)];
    const outcome = await commitBatch(
      database,
      [
        guardCommit(bucket, new Map([[key, head?.versionId ?? null]]), [object.blobId]),
        ...replaced,
        upsertObject(bucket.id, { ...object, key, versionId, isNullVersion: true, modifiedAt: now }),
      ],
      () => isCurrent(database, bucket.id, key, versionId),
    );
    if (outcome === "applied") {
      const { etag, size } = object;
      this.#queue.leaveTrace(queueKey(bucket, key), { head: { versionId, etag, size, modifiedAt: now } });
    }
    return { outcome, versionId };
  }

  async #delete(
    database: Database,
    bucket: Bucket,
    heads: ReadonlyMap<string, ConditionSubject | undefined>,
    now: number,
  ): Promise<Committed> {
    const expected: ExpectedHeads = new Map(Array.from(heads, ([key, head]) => [key, head?.versionId ?? null]));
    const present = Array.from(heads).flatMap(([key, head]) => (head === undefined ? [] : [key]));
    // Where no key has a current version there is nothing to do, and nothing that another writer could do about it.
    if (present.length === 0) return NOTHING_TO_COMMIT;
    const keysJson = JSON.stringify(present);
    const outcome = await commitBatch(
      database,
      [guardCommit(bucket, expected, []), dropBlobsOf(bucket.id, keysJson, now), deleteObjects(bucket.id, keysJson)],
      async () => {
        const left = await database.look(currentHeads(bucket.id, present));
        return present.every((key) => left.get(key)?.versionId !== expected.get(key));
      },
    );
    if (outcome === "applied")
      for (const key of present) this.#queue.leaveTrace(queueKey(bucket, key), { head: undefined });
    return { outcome, versionId: undefined };
  }
}

interface Committed {
  readonly outcome: CommitOutcome;
  readonly versionId: string | undefined;
}

const NOTHING_TO_COMMIT: Committed = { outcome: "applied", versionId: undefined };

function queueKey(bucket: Bucket, key: string): string {
  return `${bucket.id}/${key}`;
}

/** The earlier try of a deletion, or whoever came after it: either way the version that was to be removed is gone. */
const headHasMoved: EarlierTry = ({ seen }, current) => {
  const isGone = seen?.versionId !== current?.versionId;
  return Promise.resolve(isGone ? { isDone: true, versionId: undefined, modifiedAt: Date.now() } : undefined);
};

/** A repeated call cannot refuse: its first try may still be on its way to D1. */
function leftOpen(outcome: ChangeOutcome): ChangeOutcome {
  return outcome.isDone
    ? outcome
    : { isDone: false, refusal: { code: "ServiceUnavailable", fields: {} }, isDefinite: false };
}

function failedOutcome(outcome: Exclude<CommitOutcome, "applied">, bucket: Bucket): ChangeOutcome {
  switch (outcome) {
    case "bucket changed":
      return {
        isDone: false,
        refusal: { code: "NoSuchBucket", fields: { BucketName: bucket.name } },
        isDefinite: true,
      };
    case "blob condemned":
    case "head changed":
      return { isDone: false, refusal: { code: "ServiceUnavailable", fields: {} }, isDefinite: true };
    case "unknown":
      return { isDone: false, refusal: { code: "ServiceUnavailable", fields: {} }, isDefinite: false };
  }
}

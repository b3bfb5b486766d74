// What the Worker asks of a coordinator and what it is answered: plain data, since it crosses to a Durable Object.
import type { WriteConditions, WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { ObjectFacts } from "../../protocol/objects/stored-object.ts";
import type { CommitOutcome } from "../commit/commit.ts";
import type { CountSnapshot } from "../d1/counts.ts";
import type { Database, Statement } from "../d1/database.ts";
import type { KeyHead } from "../commit/heads.ts";
import type { ActionPrecondition } from "../commit/lifecycle-guard.ts";

/** A change of one key: its conditions, and the head that its request saw when it began. */
interface KeyChange {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
}

/** A new version, whose bytes somebody holds already. */
export interface PutChange extends KeyChange {
  readonly object: ObjectFacts;
  /** Its Last-Modified in milliseconds, where it is not the time of the commit. */
  readonly modifiedAt?: number | undefined;
  /** Blobs that nothing referred to before, which must not have been condemned meanwhile. */
  readonly newBlobIds: readonly string[];
  /** Heads of other keys of the bucket that must still be as they were seen. */
  readonly expectedHeads?: ReadonlyMap<string, string | null> | undefined;
  /** What must happen in the same batch, guards first: before the version is written, and after. */
  readonly before?: readonly Statement[] | undefined;
  readonly after?: readonly Statement[] | undefined;
}

/** A deletion without a version id: removes the key, or puts a delete marker on top of it. */
export interface DeleteChange extends KeyChange {
  readonly ownerId: string;
  /** What a lifecycle rule has decided it by, which must still be so. */
  readonly precondition?: ActionPrecondition | undefined;
}

/** The removal of one version for good. */
export interface PurgeChange extends KeyChange {
  readonly versionId: string;
  readonly precondition?: ActionPrecondition | undefined;
}

/** How one key's change ended. */
export type ChangeOutcome =
  | {
      readonly isDone: true;
      /** The version or delete marker that the change made. */
      readonly versionId: string | undefined;
      readonly isNullVersion: boolean;
      readonly modifiedAt: number;
    }
  | {
      readonly isDone: false;
      readonly reason: "refused" | Exclude<CommitOutcome, "applied">;
      readonly refusal: WriteRefusal;
      /** Whether it is certain that nothing was changed. */
      readonly isDefinite: boolean;
    };

/** What a call answers: an outcome per change, and what it cost. */
export interface CoordinatorAnswer {
  readonly outcomes: readonly ChangeOutcome[];
  readonly counts: CountSnapshot;
}

/** One batch for a set of changes, made for the heads that were judged. */
export interface CommitPlan {
  /** None where there is nothing to change. */
  readonly statements: readonly Statement[];
  readonly blobIds: readonly string[];
  readonly expectedHeads: ReadonlyMap<string, string | null>;
  /** The time of the newest version that it writes, by its id, in milliseconds; undefined where it writes none. */
  readonly writtenAt: number | undefined;
  /** Reads back whether the batch's effect is there. */
  isApplied(database: Database): Promise<boolean>;
  /** The heads that the batch leaves; undefined for one that only D1 knows. */
  readonly headsAfter: ReadonlyMap<string, KeyHead | undefined>;
  done(key: string): ChangeOutcome;
}

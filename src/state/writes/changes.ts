// Requests to a coordinator and their results, as plain data that can cross to a Durable Object.
import type { WriteConditions, WriteRefusal } from "../../protocol/objects/conditions.ts";
import type { ObjectFacts } from "../../protocol/objects/stored-object.ts";
import type { CommitOutcome } from "../commit/commit.ts";
import type { CountSnapshot } from "../d1/counts.ts";
import type { Database, Statement } from "../d1/database.ts";
import type { KeyHead } from "../commit/heads.ts";
import type { PlannedEvent } from "../metadata/bucket-events.ts";
import type { ActionPrecondition } from "../commit/lifecycle-guard.ts";
import type { VersionTarget } from "../commit/version-moves.ts";

/** A change of one key: its conditions, and the head that its request read at its start. */
interface KeyChange {
  readonly key: string;
  readonly observedHead: KeyHead;
  readonly conditions: WriteConditions;
}

/** A new version of a key, whose blobs are already stored. */
export interface PutChange extends KeyChange {
  readonly object: ObjectFacts;
  /** Last-Modified in milliseconds since the epoch; undefined: the time of the commit. */
  readonly modifiedAt?: number | undefined;
  /** Blobs without a reference so far. The commit fails if the orphan scan has marked one for deletion. */
  readonly newBlobIds: readonly string[];
  /** Expected heads of other keys of the bucket. */
  readonly expectedHeads?: ReadonlyMap<string, string | null> | undefined;
  /** The version that the batch's further statements purge from another key, in a rename. */
  readonly movedFrom?: { readonly key: string; readonly versionId: string } | undefined;
  /** Further statements of the batch, before (guards first) and after the version is written. */
  readonly before?: readonly Statement[] | undefined;
  readonly after?: readonly Statement[] | undefined;
  /** Other keys of the bucket that the further statements read; undefined if that is not known. */
  readonly readKeys?: readonly string[] | undefined;
}

/** A DELETE without a version id: purges the current version, or adds a delete marker. */
export interface DeleteChange extends KeyChange {
  readonly ownerId: string;
  /** The facts that a lifecycle rule was evaluated on. The guard aborts the batch if they have changed. */
  readonly precondition?: ActionPrecondition | undefined;
}

/** The purge of one version. */
export interface PurgeChange extends KeyChange {
  readonly versionId: string;
  readonly precondition?: ActionPrecondition | undefined;
  /** Whether a GOVERNANCE retention does not prevent the purge. */
  readonly bypassesGovernance?: boolean | undefined;
}

/** The outcome of one key's change. */
export type ChangeOutcome =
  | {
      readonly isDone: true;
      /** The version or delete marker that the change created. */
      readonly versionId: string | undefined;
      readonly isNullVersion: boolean;
      readonly modifiedAt: number;
    }
  | {
      readonly isDone: false;
      readonly reason: "refused" | Exclude<CommitOutcome, "applied">;
      readonly refusal: WriteRefusal;
      /** Whether it is certain that the change was not applied. */
      readonly isDefinite: boolean;
    };

/** What a coordinator is asked to write. */
export type CoordinatorWrite =
  | {
      readonly kind: "put";
      readonly change: PutChange;
      /** Whether the answer of an earlier call was lost, so that its commit may exist. */
      readonly isRepeated: boolean;
    }
  | { readonly kind: "delete"; readonly changes: readonly DeleteChange[] }
  | { readonly kind: "purge"; readonly changes: readonly PurgeChange[] };

/** The result of a call: one outcome per change, and the costs. */
export interface CoordinatorAnswer {
  readonly outcomes: readonly ChangeOutcome[];
  readonly counts: CountSnapshot;
}

/** The batch of a set of changes, valid for the heads that their conditions were evaluated on. */
export interface CommitPlan {
  /** Empty if there is nothing to change. */
  readonly statements: readonly Statement[];
  readonly blobIds: readonly string[];
  readonly expectedHeads: ReadonlyMap<string, string | null>;
  /** The events of the changes. Their statements run after the guard and before all others. */
  readonly events: readonly PlannedEvent[];
  /** Keys that the statements read and do not write; undefined if that is not known, so that the plan is committed alone. */
  readonly readKeys: readonly string[] | undefined;
  /** The versions and delete markers that the batch creates. */
  readonly created: readonly VersionTarget[];
  /** The time in the id of the newest version written, in milliseconds since the epoch; undefined: none written. */
  readonly writtenAt: number | undefined;
  /** Reads back whether the batch was applied. */
  isApplied(database: Database): Promise<boolean>;
  /** The heads after the batch; undefined for a key whose head only D1 knows. */
  readonly headsAfter: ReadonlyMap<string, KeyHead | undefined>;
  done(key: string): ChangeOutcome;
}

// The outcomes of changes that were not committed.
import type { WriteRefusal } from "../../protocol/objects/conditions.ts";
import { unavailable, type CommitOutcome } from "../commit/commit.ts";
import type { Bucket } from "../metadata/buckets.ts";
import type { ChangeOutcome } from "./changes.ts";
import { LOCKED } from "./purge-protection.ts";

/** The outcome of a change that may be refused. */
export function refusalOutcome(refusal: WriteRefusal | undefined): ChangeOutcome | undefined {
  return refusal === undefined ? undefined : refusedOutcome(refusal);
}

/** The outcome of a change whose conditions fail. */
export function refusedOutcome(refusal: WriteRefusal): ChangeOutcome {
  return { isDone: false, reason: "refused", refusal, isDefinite: true };
}

/** The outcome of a change whose commit was not applied. */
export function refusedBy(outcome: Exclude<CommitOutcome, "applied">, bucket: Bucket): ChangeOutcome {
  const refusal: WriteRefusal =
    outcome === "bucket changed"
      ? { code: "NoSuchBucket", fields: { BucketName: bucket.name } }
      : outcome === "version locked"
        ? LOCKED
        : { code: unavailable(outcome), fields: {} };
  return { isDone: false, reason: outcome, refusal, isDefinite: outcome !== "unknown" };
}

/** Turns refusals into unknown outcomes: the first try of a repeated call may still reach D1. */
export function asUnknown(outcome: ChangeOutcome): ChangeOutcome {
  return outcome.isDone
    ? outcome
    : { isDone: false, reason: "unknown", refusal: { code: "ServiceUnavailable", fields: {} }, isDefinite: false };
}

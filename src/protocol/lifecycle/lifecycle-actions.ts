// Decides which lifecycle action applies to a version or an upload at a given time. Pure: it applies no action and
// reads no state.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
import {
  classAfterTransition,
  storageClassRank,
  hasSizeCondition,
  matchesObject,
  matchesKey,
  type FilterSubject,
  type LifecycleConfiguration,
  type LifecycleRule,
} from "./lifecycle.ts";
import { dueAt, firstExpiration, midnightAfter, type DueRule, type ExpiringObject } from "./lifecycle-times.ts";

/** The action to apply, and the rule that requires it. */
export type LifecycleAction =
  | {
      readonly action: "expire";
      readonly ruleId: string;
      /** How many newer noncurrent versions must exist transition the action is applied. */
      readonly newerVersions: number;
    }
  | { readonly action: "transition"; readonly ruleId: string; readonly storageClass: string };

/** A current version that is not a delete marker. */
export interface CurrentSubject extends ExpiringObject {
  readonly storageClass: string;
  /** Whether expiration purges the version: in a versioned bucket it creates a delete marker instead. */
  readonly isPurgedByExpiration: boolean;
}

/** A noncurrent version. */
export interface NoncurrentSubject extends FilterSubject {
  readonly storageClass: string;
  readonly isDeleteMarker: boolean;
  /** When the next version was created, in milliseconds since the epoch. */
  readonly noncurrentSince: number;
  /** How many newer noncurrent versions the key has, including delete markers. */
  readonly newerVersions: number;
}

/** A delete marker or upload, which rules select by key only. */
export interface KeySubject {
  readonly key: string;
  readonly madeAt: number;
}

const TRANSITION_MIN_BYTES = 128 * 1024;

/** A purge takes precedence over a transition, and a transition over a new delete marker. */
export function actionOnCurrent(
  configuration: LifecycleConfiguration,
  version: CurrentSubject,
  now: number,
): LifecycleAction | undefined {
  const expiration = firstExpiration(configuration.rules, version);
  const isExpired = expiration !== undefined && expiration.at <= now;
  const expire = isExpired ? expireBy(expiration) : undefined;
  if (expire !== undefined && version.isPurgedByExpiration) return expire;
  return coldestTransition(configuration, version, now, transitionsOfCurrent(version)) ?? expire;
}

export function actionOnNoncurrent(
  configuration: LifecycleConfiguration,
  version: NoncurrentSubject,
  now: number,
): LifecycleAction | undefined {
  const { noncurrentSince, newerVersions, isDeleteMarker, key } = version;
  const expired = earliest(
    configuration.rules.flatMap((rule) => {
      const { noncurrentExpiration } = rule;
      if (noncurrentExpiration === undefined || newerVersions < (noncurrentExpiration.newerVersions ?? 0)) return [];
      if (!(isDeleteMarker ? matchesKey(rule.filter, key) : matchesObject(rule.filter, version))) return [];
      return [{ rule, at: midnightAfter(noncurrentSince, noncurrentExpiration.noncurrentDays) }];
    }),
    now,
  );
  if (expired !== undefined) return expireBy(expired, expired.rule.noncurrentExpiration?.newerVersions);
  if (isDeleteMarker) return undefined;
  return coldestTransition(configuration, version, now, transitionsOfNoncurrent(version));
}

/** The action on a delete marker that is the only version of its key. */
export function actionOnExpiredMarker(
  { rules }: LifecycleConfiguration,
  { key, madeAt }: KeySubject,
  now: number,
): LifecycleAction | undefined {
  const expired = earliest(
    rules.flatMap((rule) => {
      const { expiration, filter } = rule;
      if (expiration === undefined || !matchesKey(filter, key)) return [];
      if (!("isForMarkers" in expiration)) return [{ rule, at: dueAt(expiration, madeAt) }];
      return expiration.isForMarkers ? [{ rule, at: madeAt }] : [];
    }),
    now,
  );
  return expired === undefined ? undefined : expireBy(expired);
}

/** The action on an upload in progress. */
export function actionOnUpload(
  { rules }: LifecycleConfiguration,
  { key, madeAt }: KeySubject,
  now: number,
): LifecycleAction | undefined {
  const expired = earliest(
    rules.flatMap((rule) => {
      const { abortAfterDays, filter } = rule;
      if (abortAfterDays === undefined || !matchesKey(filter, key)) return [];
      return [{ rule, at: midnightAfter(madeAt, abortAfterDays) }];
    }),
    now,
  );
  return expired === undefined ? undefined : expireBy(expired);
}

function expireBy({ rule }: DueRule, newerVersions = 0): LifecycleAction {
  return { action: "expire", ruleId: rule.id, newerVersions };
}

/** A transition that a rule defines for one version. */
interface PossibleTransition {
  readonly storageClass: string;
  readonly at: number;
}

type TransitionsOf = (rule: LifecycleRule) => readonly PossibleTransition[];

function transitionsOfCurrent({ modifiedAt }: CurrentSubject): TransitionsOf {
  return ({ transitions }) =>
    transitions.map((transition) => ({ storageClass: transition.storageClass, at: dueAt(transition, modifiedAt) }));
}

function transitionsOfNoncurrent({ noncurrentSince, newerVersions: newer }: NoncurrentSubject): TransitionsOf {
  return ({ noncurrentTransitions }) =>
    noncurrentTransitions
      .filter(({ newerVersions = 0 }) => newer >= newerVersions)
      .map(({ storageClass, noncurrentDays }) => ({
        storageClass,
        at: midnightAfter(noncurrentSince, noncurrentDays),
      }));
}

/** The due transition to the coldest class that is colder than the version's class. */
function coldestTransition(
  { rules, transitionMinimum }: LifecycleConfiguration,
  version: FilterSubject & { readonly storageClass: string },
  now: number,
  transitionsOf: TransitionsOf,
): LifecycleAction | undefined {
  let coldest: { readonly ruleId: string; readonly storageClass: string } | undefined;
  for (const rule of rules) {
    if (!rule.isEnabled) continue;
    for (const { storageClass, at } of transitionsOf(rule)) {
      if (at > now || storageClassRank(classAfterTransition(storageClass)) <= storageClassRank(version.storageClass))
        continue;
      if (coldest !== undefined && storageClassRank(storageClass) <= storageClassRank(coldest.storageClass)) continue;
      const isSmall = version.size < TRANSITION_MIN_BYTES && !hasSizeCondition(rule.filter);
      const isBelowMinimum = isSmall && (transitionMinimum === "all_storage_classes_128K" || !isGlacier(storageClass));
      if (!isBelowMinimum && matchesObject(rule.filter, version)) coldest = { ruleId: rule.id, storageClass };
    }
  }
  if (coldest === undefined) return undefined;
  return { action: "transition", ruleId: coldest.ruleId, storageClass: classAfterTransition(coldest.storageClass) };
}

function isGlacier(storageClass: string): boolean {
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE";
}

/** The enabled rule that became due first. */
function earliest(candidates: readonly DueRule[], now: number): DueRule | undefined {
  let first: DueRule | undefined;
  for (const candidate of candidates) {
    if (!candidate.rule.isEnabled || candidate.at > now) continue;
    if (first === undefined || candidate.at < first.at) first = candidate;
  }
  return first;
}

// What lifecycle rules want done with a version or an upload at a given moment. Nothing is done here, and nothing looked
// up: what comes out depends on what goes in alone.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
import {
  classAfterTransition,
  storageClassRank,
  hasSize,
  isAbout,
  isAboutKey,
  type FilterSubject,
  type LifecycleConfiguration,
  type LifecycleRule,
} from "./lifecycle.ts";
import { dueAt, firstExpiration, midnightAfter, type DueRule, type ExpiringObject } from "./lifecycle-times.ts";

/** What is to be done, and by which rule. */
export type LifecycleAction =
  | {
      readonly action: "remove";
      readonly ruleId: string;
      /** How many newer noncurrent versions the rule keeps: there must be as many when it is carried out. */
      readonly keptVersions: number;
    }
  | { readonly action: "move"; readonly ruleId: string; readonly storageClass: string };

/** A current version that is no delete marker. */
export interface CurrentSubject extends ExpiringObject {
  readonly storageClass: string;
  /** Whether its expiration leaves nothing of it: elsewhere it only gets a delete marker on top. */
  readonly isPurgedByExpiration: boolean;
}

/** A noncurrent version. */
export interface NoncurrentSubject extends FilterSubject {
  readonly storageClass: string;
  readonly isDeleteMarker: boolean;
  /** When its successor was made. */
  readonly noncurrentSince: number;
  /** How many newer noncurrent versions, delete markers included, its key has. */
  readonly newerVersions: number;
}

/** What was made at a time and has nothing but a key for rules to go by. */
export interface KeySubject {
  readonly key: string;
  readonly madeAt: number;
}

const TRANSITION_MIN_BYTES = 128 * 1024;

/** Removal for good comes before a transition, and that before a delete marker. */
export function actionOnCurrent(
  configuration: LifecycleConfiguration,
  version: CurrentSubject,
  now: number,
): LifecycleAction | undefined {
  const expiration = firstExpiration(configuration.rules, version);
  const isExpired = expiration !== undefined && expiration.at <= now;
  const removal = isExpired ? removalBy(expiration) : undefined;
  if (removal !== undefined && version.isPurgedByExpiration) return removal;
  return furthestTransition(configuration, version, now, transitionsOfCurrent(version)) ?? removal;
}

export function actionOnNoncurrent(
  configuration: LifecycleConfiguration,
  version: NoncurrentSubject,
  now: number,
): LifecycleAction | undefined {
  const { noncurrentSince, newerVersions, isDeleteMarker, key } = version;
  const expired = earliest(
    configuration.rules.flatMap((rule) => {
      const { noncurrentExpiration: wanted } = rule;
      if (wanted === undefined || newerVersions < (wanted.newerVersions ?? 0)) return [];
      if (!(isDeleteMarker ? isAboutKey(rule.filter, key) : isAbout(rule.filter, version))) return [];
      return [{ rule, at: midnightAfter(noncurrentSince, wanted.noncurrentDays) }];
    }),
    now,
  );
  if (expired !== undefined) return removalBy(expired, expired.rule.noncurrentExpiration?.newerVersions);
  if (isDeleteMarker) return undefined;
  return furthestTransition(configuration, version, now, transitionsOfNoncurrent(version));
}

/** A delete marker that is current and the only version of its key. */
export function actionOnSoleMarker(
  { rules }: LifecycleConfiguration,
  { key, madeAt }: KeySubject,
  now: number,
): LifecycleAction | undefined {
  const expired = earliest(
    rules.flatMap((rule) => {
      const { expiration, filter } = rule;
      if (expiration === undefined || !isAboutKey(filter, key)) return [];
      if (!("isForMarkers" in expiration)) return [{ rule, at: dueAt(expiration, madeAt) }];
      return expiration.isForMarkers ? [{ rule, at: madeAt }] : [];
    }),
    now,
  );
  return expired === undefined ? undefined : removalBy(expired);
}

/** An upload in progress. */
export function actionOnUpload(
  { rules }: LifecycleConfiguration,
  { key, madeAt }: KeySubject,
  now: number,
): LifecycleAction | undefined {
  const expired = earliest(
    rules.flatMap((rule) => {
      const { abortAfterDays, filter } = rule;
      if (abortAfterDays === undefined || !isAboutKey(filter, key)) return [];
      return [{ rule, at: midnightAfter(madeAt, abortAfterDays) }];
    }),
    now,
  );
  return expired === undefined ? undefined : removalBy(expired);
}

function removalBy({ rule }: DueRule, keptVersions = 0): LifecycleAction {
  return { action: "remove", ruleId: rule.id, keptVersions };
}

/** A transition of a rule, as it concerns one version. */
interface PossibleTransition {
  readonly storageClass: string;
  readonly at: number;
}

type TransitionsOf = (rule: LifecycleRule) => readonly PossibleTransition[];

function transitionsOfCurrent({ modifiedAt }: CurrentSubject): TransitionsOf {
  return ({ transitions }) =>
    transitions.map((when) => ({ storageClass: when.storageClass, at: dueAt(when, modifiedAt) }));
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

/** Of the transitions that are due and lead to a colder class than a version has, the one to the coldest. */
function furthestTransition(
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
      const isSmall = version.size < TRANSITION_MIN_BYTES && !hasSize(rule.filter);
      const isHeldBack = isSmall && (transitionMinimum === "all_storage_classes_128K" || !isDeep(storageClass));
      if (!isHeldBack && isAbout(rule.filter, version)) coldest = { ruleId: rule.id, storageClass };
    }
  }
  if (coldest === undefined) return undefined;
  return { action: "move", ruleId: coldest.ruleId, storageClass: classAfterTransition(coldest.storageClass) };
}

function isDeep(storageClass: string): boolean {
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE";
}

/** Of enabled rules that are due, the one that was due first. */
function earliest(candidates: readonly DueRule[], now: number): DueRule | undefined {
  let first: DueRule | undefined;
  for (const candidate of candidates) {
    if (!candidate.rule.isEnabled || candidate.at > now) continue;
    if (first === undefined || candidate.at < first.at) first = candidate;
  }
  return first;
}

// A bucket's lifecycle configuration: its rules, its stored form, and which objects a rule's filter matches.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
import type { Tag } from "../core/tagging.ts";

/** Which objects below 128 KB have no transitions, unless a rule's filter contains a size. */
export type TransitionMinimum = "all_storage_classes_128K" | "varies_by_storage_class";

export interface LifecycleConfiguration {
  /** A random id of this configuration: an action commits only if the configuration that decided it is still set. */
  readonly revision: string;
  readonly transitionMinimum: TransitionMinimum;
  readonly rules: readonly LifecycleRule[];
}

/** A rule. Omitted elements are undefined or an empty list. */
export interface LifecycleRule {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly filter: LifecycleFilter;
  readonly expiration: Expiration | undefined;
  readonly transitions: readonly Transition[];
  readonly noncurrentExpiration: NoncurrentExpiration | undefined;
  readonly noncurrentTransitions: readonly NoncurrentTransition[];
  /** Days after which an upload in progress is aborted. */
  readonly abortAfterDays: number | undefined;
}

/** The objects that a rule selects: those that fulfil all conditions. */
export interface LifecycleFilter {
  /** The notation: a Prefix of the rule itself, a Filter with at most one element, or a Filter with an And. */
  readonly form: "prefix" | "filter" | "and";
  readonly prefix: string | undefined;
  readonly tags: readonly Tag[];
  /** Bytes; both bounds are exclusive. */
  readonly sizeGreaterThan: number | undefined;
  readonly sizeLessThan: number | undefined;
}

/** A number of days after creation, or a date (milliseconds since the epoch). */
export type DaysOrDate = { readonly days: number } | { readonly date: number };

/** The expiration of current versions, or only of delete markers without other versions. */
export type Expiration = DaysOrDate | { readonly isForMarkers: boolean };

export type Transition = DaysOrDate & { readonly storageClass: string };

export interface NoncurrentExpiration {
  /** Days since the next version was created. */
  readonly noncurrentDays: number;
  /** How many newer noncurrent versions must exist. */
  readonly newerVersions: number | undefined;
}

export type NoncurrentTransition = NoncurrentExpiration & { readonly storageClass: string };

/** The stored form of a configuration. */
export function lifecycleText(configuration: LifecycleConfiguration): string {
  return JSON.stringify(configuration);
}

/** Parses the stored form; undefined for null. */
export function lifecycleFromText(text: string | null): LifecycleConfiguration | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as LifecycleConfiguration);
}

/** Whether rules expire current versions but no noncurrent ones: with versioning, such rules free no storage. */
export function retainsNoncurrentVersions({ rules }: LifecycleConfiguration): boolean {
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  return (
    enabled.some(({ expiration }) => expiration !== undefined && !("isForMarkers" in expiration)) &&
    !enabled.some(({ noncurrentExpiration }) => noncurrentExpiration !== undefined)
  );
}

/** The properties of an object that a filter tests. */
export interface FilterSubject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly tags: readonly Tag[];
}

/** Whether a filter matches an object. */
export function matchesObject(filter: LifecycleFilter, { key, size, tags }: FilterSubject): boolean {
  return (
    key.startsWith(filter.prefix ?? "") &&
    (filter.sizeGreaterThan === undefined || size > filter.sizeGreaterThan) &&
    (filter.sizeLessThan === undefined || size < filter.sizeLessThan) &&
    filter.tags.every((required) => tags.some(({ key, value }) => key === required.key && value === required.value))
  );
}

/** Whether a filter matches a delete marker or an upload in progress, which have neither a size nor tags. */
export function matchesKey(filter: LifecycleFilter, key: string): boolean {
  return key.startsWith(filter.prefix ?? "") && filter.tags.length === 0 && !hasSizeCondition(filter);
}

/** Whether a filter contains a size. */
export function hasSizeCondition({ sizeGreaterThan, sizeLessThan }: LifecycleFilter): boolean {
  return sizeGreaterThan !== undefined || sizeLessThan !== undefined;
}

/** The storage classes that transitions lead between, from warm to cold. */
const STORAGE_CLASS_ORDER: readonly string[] = [
  "STANDARD",
  "STANDARD_IA",
  "INTELLIGENT_TIERING",
  "ONEZONE_IA",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
];

/** The possible destinations of a transition. */
export const TRANSITION_CLASSES: readonly string[] = STORAGE_CLASS_ORDER.slice(1);

/** The rank of a storage class: transitions lead to a higher rank. */
export function storageClassRank(storageClass: string): number {
  return Math.max(0, STORAGE_CLASS_ORDER.indexOf(storageClass));
}

/**
 * The class of an object after a transition. GLACIER and DEEP_ARCHIVE become GLACIER_IR, the archive class with instant
 * reads: Cairn needs no restore, but clients do not read those two classes without one.
 */
export function classAfterTransition(storageClass: string): string {
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE" ? "GLACIER_IR" : storageClass;
}

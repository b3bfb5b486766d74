// A bucket's lifecycle configuration: what its rules say, how it is kept, and which objects a rule is about.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
import type { Tag } from "../core/tagging.ts";

/** Which small objects stay where they are unless a rule speaks of sizes itself. */
export type TransitionMinimum = "all_storage_classes_128K" | "varies_by_storage_class";

export interface LifecycleConfiguration {
  /** Another one each time a configuration is set, so that what is done can be tied to the rules it was decided by. */
  readonly revision: string;
  readonly transitionMinimum: TransitionMinimum;
  readonly rules: readonly LifecycleRule[];
}

/** A rule. What it does not say is undefined, or an empty list. */
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

/** Which objects a rule is about: those that everything here is true of. */
export interface LifecycleFilter {
  /** How it was written: a Prefix of the rule itself, one element of a Filter (or none), or an And of several. */
  readonly form: "prefix" | "filter" | "and";
  readonly prefix: string | undefined;
  readonly tags: readonly Tag[];
  /** Bytes; neither bound is included. */
  readonly sizeGreaterThan: number | undefined;
  readonly sizeLessThan: number | undefined;
}

/** So many days after a version was made, or from a date on (milliseconds since the epoch). */
export type When = { readonly days: number } | { readonly date: number };

/** The end of current versions, or only that of delete markers with nothing under them. */
export type Expiration = When | { readonly isForMarkers: boolean };

export type Transition = When & { readonly storageClass: string };

export interface NoncurrentExpiration {
  /** Days since the version's successor was made. */
  readonly noncurrentDays: number;
  /** How many newer noncurrent versions there must be. */
  readonly newerVersions: number | undefined;
}

export type NoncurrentTransition = NoncurrentExpiration & { readonly storageClass: string };

/** A configuration as it is kept. */
export function lifecycleText(configuration: LifecycleConfiguration): string {
  return JSON.stringify(configuration);
}

/** Reads what lifecycleText wrote; undefined where nothing is set. */
export function lifecycleFromText(text: string | null): LifecycleConfiguration | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === null ? undefined : (JSON.parse(text) as LifecycleConfiguration);
}

/**
 * Whether rules that expire objects remove none of their bytes once versioning is on: an expired object then becomes a
 * noncurrent version, which stays unless a rule ends those.
 */
export function keepsNoncurrent({ rules }: LifecycleConfiguration): boolean {
  const enabled = rules.filter(({ isEnabled }) => isEnabled);
  return (
    enabled.some(({ expiration }) => expiration !== undefined && !("isForMarkers" in expiration)) &&
    !enabled.some(({ noncurrentExpiration }) => noncurrentExpiration !== undefined)
  );
}

/** What a filter looks at. */
export interface FilterSubject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly tags: readonly Tag[];
}

/** Whether a filter is about an object. */
export function isAbout(filter: LifecycleFilter, { key, size, tags }: FilterSubject): boolean {
  return (
    key.startsWith(filter.prefix ?? "") &&
    (filter.sizeGreaterThan === undefined || size > filter.sizeGreaterThan) &&
    (filter.sizeLessThan === undefined || size < filter.sizeLessThan) &&
    filter.tags.every((wanted) => tags.some(({ key, value }) => key === wanted.key && value === wanted.value))
  );
}

/** Whether a filter is about a delete marker or an upload in progress, which have neither a size nor tags to go by. */
export function isAboutKey(filter: LifecycleFilter, key: string): boolean {
  return key.startsWith(filter.prefix ?? "") && filter.tags.length === 0 && !hasSize(filter);
}

/** Whether a filter speaks of sizes. */
export function hasSize({ sizeGreaterThan, sizeLessThan }: LifecycleFilter): boolean {
  return sizeGreaterThan !== undefined || sizeLessThan !== undefined;
}

/** The storage classes that objects are moved between, the colder ones later. */
const COLDER_AND_COLDER: readonly string[] = [
  "STANDARD",
  "STANDARD_IA",
  "INTELLIGENT_TIERING",
  "ONEZONE_IA",
  "GLACIER_IR",
  "GLACIER",
  "DEEP_ARCHIVE",
];

/** The classes that a transition may lead to. */
export const TRANSITION_CLASSES: readonly string[] = COLDER_AND_COLDER.slice(1);

/** How cold a storage class is: transitions lead to a higher number. */
export function storageClassRank(storageClass: string): number {
  return Math.max(0, COLDER_AND_COLDER.indexOf(storageClass));
}

/** Whether the bytes of a storage class belong where bytes that are seldom read are kept. */
export function blobStorageClass(storageClass: string): boolean {
  return storageClass !== "STANDARD" && storageClass !== "REDUCED_REDUNDANCY";
}

/**
 * The class that a transition gives an object. Nothing here has to be restored before it is read, and clients refuse to
 * read what says GLACIER or DEEP_ARCHIVE without asking, so these become the archive class that is read at once.
 */
export function classAfterTransition(storageClass: string): string {
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE" ? "GLACIER_IR" : storageClass;
}

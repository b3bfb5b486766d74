// Validates lifecycle rules, one by one and together, with S3's error messages.
import { utf8Length } from "../../bytes/text.ts";
import {
  storageClassRank,
  hasSizeCondition,
  type Expiration,
  type LifecycleFilter,
  type LifecycleRule,
  type NoncurrentExpiration,
  type DaysOrDate,
} from "./lifecycle.ts";
import { S3Error } from "../core/s3-error.ts";

const MAX_RULES = 1000;
const ID_MAX_CHARACTERS = 255;
const PREFIX_MAX_BYTES = 1024;
const TAG_KEY_MAX_CHARACTERS = 128;
const TAG_VALUE_MAX_CHARACTERS = 256;
/** 1000 TiB. */
const SIZE_MAX_BYTES = 1_099_511_627_776_000;
const MAX_NEWER_VERSIONS = 100;
const INFREQUENT_ACCESS = new Set(["STANDARD_IA", "ONEZONE_IA"]);
const INFREQUENT_ACCESS_MIN_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * Checks the rules of a configuration, one by one and together.
 * @throws S3Error MalformedXML for an empty list, InvalidRequest, InvalidArgument
 */
export function checkRules(rules: readonly LifecycleRule[]): void {
  if (rules.length === 0) throw new S3Error("MalformedXML");
  if (rules.length > MAX_RULES) {
    throw invalidRequest("The number of lifecycle rules must not exceed the allowed limit of 1000 rules.");
  }
  const ids = new Set<string>();
  for (const { id } of rules) {
    if (Array.from(id).length > ID_MAX_CHARACTERS) {
      throw invalid("ID length should not exceed allowed limit of 255");
    }
    if (ids.has(id)) throw invalid("Rule ID must be unique. Found same ID for more than one rule");
    ids.add(id);
  }
  // The first rule determines the version (V1 or V2) of the whole configuration.
  const isVersion2 = rules[0]?.filter.form !== "prefix";
  for (const rule of rules) {
    checkConfigurationVersion(rule, isVersion2);
    checkFilter(rule.filter);
    checkActions(rule);
  }
}

function checkConfigurationVersion(
  { filter, noncurrentExpiration, noncurrentTransitions }: LifecycleRule,
  isVersion2: boolean,
): void {
  if (isVersion2 && filter.form === "prefix") {
    throw invalidRequest(
      "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter.",
    );
  }
  if (isVersion2) return;
  if (filter.form !== "prefix") throw invalidRequest("Filter element can only be used in Lifecycle V2.");
  if ([noncurrentExpiration, ...noncurrentTransitions].some((action) => action?.newerVersions !== undefined)) {
    throw invalidRequest("NewerNoncurrentVersions element can only be used in Lifecycle V2.");
  }
}

function checkFilter({ prefix, tags, sizeGreaterThan, sizeLessThan }: LifecycleFilter): void {
  if (utf8Length(prefix ?? "") > PREFIX_MAX_BYTES) throw invalid("The maximum size of a prefix is 1024");
  for (const { key, value } of tags) {
    if (Array.from(key).length > TAG_KEY_MAX_CHARACTERS) {
      throw invalidRequest("A Tag's Key must be a length between 1 and 128.");
    }
    if (Array.from(value).length > TAG_VALUE_MAX_CHARACTERS) {
      throw invalidRequest("A Tag's Value must be a length between 0 and 256.");
    }
  }
  if (new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw invalidRequest("Duplicate Tag Keys are not allowed.");
  }
  if (sizeGreaterThan !== undefined && !(sizeGreaterThan >= 0 && sizeGreaterThan <= SIZE_MAX_BYTES)) {
    throw invalidRequest(`'ObjectSizeGreaterThan' should be between 0 and ${SIZE_MAX_BYTES}.`);
  }
  if (sizeLessThan !== undefined && !(sizeLessThan >= 1 && sizeLessThan <= SIZE_MAX_BYTES)) {
    throw invalidRequest(`'ObjectSizeLessThan' should be between 1 and ${SIZE_MAX_BYTES}.`);
  }
  if (sizeGreaterThan !== undefined && sizeLessThan !== undefined && sizeLessThan <= sizeGreaterThan) {
    throw invalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  }
}

function checkActions(rule: LifecycleRule): void {
  const { filter, expiration, transitions, noncurrentExpiration, noncurrentTransitions, abortAfterDays } = rule;
  const count = transitions.length + noncurrentTransitions.length;
  if (expiration === undefined && noncurrentExpiration === undefined && abortAfterDays === undefined && count === 0) {
    throw invalidRequest("At least one action needs to be specified in a rule");
  }
  if (expiration !== undefined) checkExpiration(expiration, filter);
  if (noncurrentExpiration !== undefined) {
    requirePositive(noncurrentExpiration.noncurrentDays, "NoncurrentDays", "NoncurrentVersionExpiration");
    checkNewerVersions(noncurrentExpiration, "NoncurrentVersionExpiration");
  }
  if (abortAfterDays !== undefined) {
    requirePositive(abortAfterDays, "DaysAfterInitiation", "AbortIncompleteMultipartUpload");
    refuseTagsAndSizes(filter, "AbortIncompleteMultipartUpload");
  }
  checkTransitions(rule);
  checkNoncurrentTransitions(rule);
}

function checkExpiration(expiration: Expiration, filter: LifecycleFilter): void {
  if ("isForMarkers" in expiration) refuseTagsAndSizes(filter, "ExpiredObjectDeleteMarker");
  else if ("days" in expiration) requirePositive(expiration.days, "Days", "Expiration");
  else requireMidnight(expiration.date);
}

/** Uploads in progress and delete markers have neither tags nor a size. */
function refuseTagsAndSizes(filter: LifecycleFilter, action: string): void {
  if (filter.tags.length > 0) throw invalidRequest(`${action} cannot be specified with Tags.`);
  if (hasSizeCondition(filter)) throw invalidRequest(`${action} cannot be specified with Object Size.`);
}

function checkTransitions({ filter, expiration, transitions }: LifecycleRule): void {
  for (const transition of transitions) {
    if ("date" in transition) requireMidnight(transition.date);
    else checkAge(transition.days, "Days", "Transition", transition.storageClass);
  }
  const shown = filterText(filter);
  const timings: readonly DaysOrDate[] = transitions;
  if (areMixed(timings)) {
    throw invalidRequest(
      `Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for filter '${shown}'`,
    );
  }
  const steps = transitions.map((timing) => ({ storageClass: timing.storageClass, after: orderOf(timing) }));
  const unit = timings.some((timing) => "date" in timing) ? "Date" : "Days";
  checkSteps(steps, "Transition", unit, shown);
  if (expiration === undefined || "isForMarkers" in expiration) return;
  if (areMixed([...timings, expiration])) {
    throw invalidRequest(
      `Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter '${shown}'`,
    );
  }
  if (steps.some(({ after }) => after >= orderOf(expiration))) {
    const word = unit === "Days" ? "greater" : "later";
    throw invalid(
      `'${unit}' in the Expiration action for filter '${shown}' must be ${word} than '${unit}' in the Transition action`,
    );
  }
}

function checkNoncurrentTransitions({ filter, noncurrentExpiration, noncurrentTransitions }: LifecycleRule): void {
  for (const transition of noncurrentTransitions) {
    checkAge(transition.noncurrentDays, "NoncurrentDays", "NoncurrentVersionTransition", transition.storageClass);
    checkNewerVersions(transition, "NoncurrentVersionTransition");
  }
  const shown = filterText(filter);
  const steps = noncurrentTransitions.map(({ storageClass, noncurrentDays: after }) => ({ storageClass, after }));
  checkSteps(steps, "NoncurrentVersionTransition", "NoncurrentDays", shown);
  if (noncurrentExpiration !== undefined && steps.some(({ after }) => after >= noncurrentExpiration.noncurrentDays)) {
    throw invalid(
      `'NoncurrentDays' in the NoncurrentVersionExpiration action for filter '${shown}' must be greater than 'NoncurrentDays' in the NoncurrentVersionTransition action`,
    );
  }
}

interface Step {
  readonly storageClass: string;
  /** Days, or a time in milliseconds; all steps of a rule use the same unit. */
  readonly after: number;
}

/** Transitions to colder classes must be later than transitions to warmer ones. */
function checkSteps(steps: readonly Step[], action: string, unit: string, shown: string): void {
  if (new Set(steps.map(({ storageClass }) => storageClass)).size < steps.length) {
    throw invalidRequest(
      `'StorageClass' must be different for '${action}' actions in same 'Rule' with filter '${shown}'`,
    );
  }
  const byRank = steps.toSorted(
    (one, other) => storageClassRank(one.storageClass) - storageClassRank(other.storageClass),
  );
  for (const [index, step] of byRank.entries()) {
    const before = byRank[index - 1];
    if (before === undefined || before.after < step.after) continue;
    throw invalid(
      `'${unit}' in the '${action}' action for StorageClass '${step.storageClass}' for filter '${shown}' must be greater than '${unit}' in the '${action}' action for StorageClass '${before.storageClass}' for filter '${shown}'`,
    );
  }
}

function checkAge(days: number, name: string, action: string, storageClass: string): void {
  if (days < 0) throw invalid(`'${name}' in ${action} action must be nonnegative`);
  if (INFREQUENT_ACCESS.has(storageClass) && days < INFREQUENT_ACCESS_MIN_DAYS) {
    throw invalid(
      `'${name}' in ${action} action must be greater than or equal to 30 for storageClass '${storageClass}'`,
    );
  }
}

function checkNewerVersions({ newerVersions }: NoncurrentExpiration, action: string): void {
  if (newerVersions === undefined || (newerVersions >= 1 && newerVersions <= MAX_NEWER_VERSIONS)) return;
  throw invalid(
    `'NewerNoncurrentVersions' for ${action} action must be an integer between 1 and ${MAX_NEWER_VERSIONS}`,
  );
}

function requirePositive(days: number, name: string, action: string): void {
  if (days < 1) throw invalid(`'${name}' for ${action} action must be a positive integer`);
}

function requireMidnight(date: number): void {
  if (date % DAY_MS !== 0) throw invalid("'Date' must be at midnight GMT");
}

function areMixed(timings: readonly DaysOrDate[]): boolean {
  return timings.some((timing) => "date" in timing) && timings.some((timing) => "days" in timing);
}

function orderOf(timing: DaysOrDate): number {
  return "date" in timing ? timing.date : timing.days;
}

/** A filter in the notation of S3's messages. */
function filterText({ prefix, tags, sizeGreaterThan, sizeLessThan }: LifecycleFilter): string {
  const words = [
    ...(prefix === undefined ? [] : [`prefix=${prefix}`]),
    ...tags.map(({ key, value }) => `tag={key=${key}, value=${value}}`),
    ...(sizeGreaterThan === undefined ? [] : [`objectsizegreaterthan=${sizeGreaterThan}`]),
    ...(sizeLessThan === undefined ? [] : [`objectsizelessthan=${sizeLessThan}`]),
  ];
  return words.length === 0 ? "(prefix=)" : `(${words.join(" and ")})`;
}

function invalid(message: string): S3Error {
  return new S3Error("InvalidArgument", {}, message);
}

function invalidRequest(message: string): S3Error {
  return new S3Error("InvalidRequest", {}, message);
}

// The Worker's settings in the form the code uses, read from its environment, and everything that can be wrong with them.
import { asObjectOwnership, type ObjectOwnership } from "../protocol/acl/object-ownership.ts";
import {
  givenText,
  isPossible,
  itemsOf,
  masterKeys,
  missingCompanions,
  problemOfName,
  problemsOfTexts,
  type SettingProblem,
} from "./setting-checks.ts";
import { SETTINGS } from "./setting-table.ts";

export { SETTINGS } from "./setting-table.ts";

export type SettingName = keyof typeof SETTINGS;
type NumberName = { [N in SettingName]: (typeof SETTINGS)[N] extends { range: unknown } ? N : never }[SettingName];

/** Whether a job deletes, only tells what it would delete, or does neither. */
export type DeletionSetting = "true" | "dry-run" | "false";

/** A place of Cloudflare's, as its location hints name it. */
export type Location = (typeof SETTINGS.LOCATION.values)[number];

/** The settings in the form the code uses. */
export interface Settings {
  readonly root: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Base64; the first seals, all of them open. None: there are no users and no temporary credentials. */
  readonly masterKeys: readonly string[];
  readonly accountId: string;
  readonly region: string;
  readonly domains: readonly string[];
  readonly bucketNames: "strict" | "aws";
  readonly reservedBucketNames: readonly string[];
  readonly requireLocationConstraint: boolean;
  readonly defaultObjectOwnership: ObjectOwnership;
  /** Where coordinators are made; undefined: near whoever calls one first. */
  readonly location: Location | undefined;
  readonly coordinatorShards: number;
  readonly recoveryWindowMs: number;
  readonly jobCallsPerTick: number;
  readonly lifecycle: boolean;
  readonly garbageCollection: DeletionSetting;
  /** Whether a setting that controls deletion cannot be understood, so that nothing is deleted on the schedule. */
  readonly isDeletionStopped: boolean;
  readonly rebuild: boolean;
  readonly orphanScan: DeletionSetting;
  readonly orphanAgeMs: number;
  readonly orphanSharePercent: number;
  readonly customerKeysOverHttp: "loopback" | "never";
  /** 0: nothing is scrubbed. */
  readonly scrubBytesPerTick: number;
  readonly scrubInfrequentAccess: boolean;
  readonly edge: "cloudflare" | "none";
  readonly verifyReads: "off" | "sampled" | "always";
  readonly logRequests: boolean;
  /** Of requests that succeed. */
  readonly logSamplePercent: number;
  readonly serverTiming: boolean;
}

/**
 * Reads the settings from the Worker's environment. What a setting cannot be counts as not given, but for two kinds: where
 * that would widen access, it does not; and while one that controls deletion cannot be understood, nothing is deleted.
 */
export function readSettings(env: object): Settings {
  const text = (name: SettingName): string => {
    const given = givenText(env, name);
    return given === undefined || given === "" ? SETTINGS[name].default : given;
  };
  const possible = (name: SettingName): string =>
    isPossible(SETTINGS[name], text(name)) ? text(name) : SETTINGS[name].default;
  const list = (name: SettingName): string[] => itemsOf(possible(name).toLowerCase());
  const whole = (name: NumberName): number => Number(possible(name));
  const isDeletionStopped = settingProblems(env).some(({ stopsDeletion }) => stopsDeletion);
  const deletion = (name: "GARBAGE_COLLECTION" | "ORPHAN_SCAN"): DeletionSetting => {
    if (text(name) === "false") return "false";
    return text(name) === "true" && !isDeletionStopped ? "true" : "dry-run";
  };
  // What cannot be understood verifies most.
  const verifyReads = text("VERIFY_READS");
  const accessKeyId = text("CAIRN_ROOT_ACCESS_KEY_ID");
  const secretAccessKey = text("CAIRN_ROOT_SECRET_ACCESS_KEY");
  const hasRoot = accessKeyId !== "" && secretAccessKey !== "" && text("ROOT_CREDENTIALS") !== "disabled";
  return {
    root: hasRoot ? { accessKeyId, secretAccessKey } : undefined,
    masterKeys: masterKeys(text("CAIRN_MASTER_KEY"), text("CAIRN_PREVIOUS_MASTER_KEYS")),
    accountId: possible("ACCOUNT_ID"),
    region: possible("REGION"),
    domains: list("DOMAINS"),
    bucketNames: text("BUCKET_NAMES") === "aws" ? "aws" : "strict",
    reservedBucketNames: list("RESERVED_BUCKET_NAMES"),
    requireLocationConstraint: text("REQUIRE_LOCATION_CONSTRAINT") === "true",
    defaultObjectOwnership:
      asObjectOwnership(text("DEFAULT_OBJECT_OWNERSHIP")) ?? SETTINGS.DEFAULT_OBJECT_OWNERSHIP.default,
    location: asLocation(possible("LOCATION")),
    coordinatorShards: whole("COORDINATOR_SHARDS"),
    recoveryWindowMs: whole("RECOVERY_WINDOW_HOURS") * 3_600_000,
    jobCallsPerTick: whole("JOB_CALLS_PER_TICK"),
    lifecycle: text("LIFECYCLE") === "true" && !isDeletionStopped,
    garbageCollection: deletion("GARBAGE_COLLECTION"),
    isDeletionStopped,
    rebuild: text("REBUILD") === "true",
    orphanScan: deletion("ORPHAN_SCAN"),
    orphanAgeMs: whole("ORPHAN_AGE_HOURS") * 3_600_000,
    orphanSharePercent: whole("ORPHAN_SHARE_PERCENT"),
    customerKeysOverHttp: text("SSE_CUSTOMER_KEYS_OVER_HTTP") === "loopback" ? "loopback" : "never",
    scrubBytesPerTick: whole("SCRUB_MEGABYTES_PER_TICK") * 1_000_000,
    scrubInfrequentAccess: text("SCRUB_INFREQUENT_ACCESS") === "true",
    edge: text("EDGE") === "cloudflare" ? "cloudflare" : "none",
    verifyReads: verifyReads === "off" || verifyReads === "sampled" ? verifyReads : "always",
    logRequests: text("LOG_REQUESTS") !== "false",
    logSamplePercent: whole("LOG_SAMPLE_PERCENT"),
    serverTiming: text("SERVER_TIMING") === "true",
  };
}

/** Everything that is wrong with the settings of an environment that has all of them. */
export function settingProblems(env: object): SettingProblem[] {
  return [...problemsOfTexts(SETTINGS, env), ...missingCompanions(COMPANIONS, env)];
}

/**
 * What is given that no setting can be, and names that are almost those of settings. It asks for none that may be given
 * elsewhere, as secrets are.
 */
export function misspeltSettings(env: object): string[] {
  return problemsOfTexts(SETTINGS, env).map(({ message }) => message);
}

/** Whether a name is almost that of a setting that controls deletion. */
export function isMisnamedDeletion(name: string): boolean {
  return problemOfName(SETTINGS, name)?.stopsDeletion === true;
}

/** Settings that are of no use without another. */
const COMPANIONS: readonly (readonly [given: SettingName, needed: SettingName])[] = [
  ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY"],
  ["CAIRN_ROOT_SECRET_ACCESS_KEY", "CAIRN_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_MASTER_KEYS", "CAIRN_MASTER_KEY"],
];

function asLocation(text: string): Location | undefined {
  return SETTINGS.LOCATION.values.find((location) => location === text);
}

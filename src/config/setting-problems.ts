// The problems of an environment: invalid settings, contradictions between settings, and misspelt names.
import {
  conflictingHosts,
  consoleHostConflict,
  NO_DELIVERY,
  normalizedHost,
  parseDelivery,
  withoutConflicts,
} from "../protocol/core/host-names.ts";
import {
  givenText,
  itemsOf,
  missingCompanions,
  problemOfName,
  problemsOfTexts,
  type SettingProblem,
} from "./setting-checks.ts";
import { SETTINGS } from "./setting-table.ts";
import { BLOB_STORE, type SettingName } from "./setting-values.ts";

/** All problems of a complete environment. */
export function settingProblems(env: object): SettingProblem[] {
  return [...problemsOfTexts(SETTINGS, env), ...hostProblems(env), ...missingCompanions(COMPANIONS, env)];
}

/** Hosts that two settings claim. Those of DELIVERY and CONSOLE_HOST are ignored. */
function hostProblems(env: object): SettingProblem[] {
  const hosts = parseDelivery(givenText(env, "DELIVERY") ?? "") ?? NO_DELIVERY;
  const domains = itemsOf((givenText(env, "DOMAINS") ?? "").toLowerCase());
  const ofDelivery = conflictingHosts(hosts, domains).map((host) => ({
    setting: "DELIVERY",
    message: `DELIVERY contains ${host}, which is also a host of the S3 endpoint (DOMAINS); a site needs an origin of its own`,
    stopsDeletion: false,
  }));
  const console = normalizedHost(givenText(env, "CONSOLE_HOST") ?? "");
  const conflict = consoleHostConflict(console, domains, withoutConflicts(hosts, domains));
  if (conflict === undefined) return ofDelivery;
  const other = conflict === "bucket" ? "the host of a bucket (DOMAINS)" : "a delivery host (DELIVERY)";
  const message = `CONSOLE_HOST is ${console}, which is also ${other}; the console needs a host of its own`;
  return [...ofDelivery, { setting: "CONSOLE_HOST", message, stopsDeletion: false }];
}

/**
 * Invalid settings, and names that resemble those of settings. Ignores missing settings, which may be secrets that are
 * set elsewhere.
 */
export function misspeltSettings(env: object): string[] {
  return [...problemsOfTexts(SETTINGS, env), ...hostProblems(env)].map(({ message }) => message);
}

/** Whether a name resembles that of a setting that controls deletion. */
export function isMisnamedDeletion(name: string): boolean {
  return problemOfName(SETTINGS, name)?.stopsDeletion === true;
}

/** Settings that have no effect without another one. */
const COMPANIONS: readonly (readonly [given: SettingName, needed: SettingName])[] = [
  ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY"],
  ["CAIRN_ROOT_SECRET_ACCESS_KEY", "CAIRN_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY"],
  ["CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY", "CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_ACCESS_KEY_ID"],
  ["CAIRN_PREVIOUS_MASTER_KEYS", "CAIRN_MASTER_KEY"],
  ...BLOB_STORE.flatMap((given) => BLOB_STORE.filter((it) => it !== given).map((needed) => [given, needed] as const)),
];

// The limits of a user, which are tags of Cairn's own: `cairn:requests-per-second` and others (docs/quotas.md). Tags are
// what every IAM client can set.
import { parseLimit, parseRate, type RateKind, type Rates } from "../core/rates.ts";
import { foldTagKey } from "../core/tagging.ts";

const PREFIX = "cairn:";

/** Tags that limit rates: of all the user's requests, and of each of the user's access keys. */
const USER_RATES: Readonly<Record<string, RateKind>> = {
  "cairn:requests-per-second": "requests",
  "cairn:bytes-in-per-second": "bytesIn",
  "cairn:bytes-out-per-second": "bytesOut",
};
const KEY_RATES: Readonly<Record<string, RateKind>> = {
  "cairn:key-requests-per-second": "requests",
  "cairn:key-bytes-in-per-second": "bytesIn",
  "cairn:key-bytes-out-per-second": "bytesOut",
};

/** Tags that limit what the buckets that the user created store together. Triggers of the database read them. */
const QUOTAS: readonly string[] = ["cairn:max-bytes", "cairn:max-objects"];

const NAMES = [...QUOTAS, ...Object.keys(USER_RATES), ...Object.keys(KEY_RATES)];

/** Why a tag cannot be set; undefined if it can. */
export function limitProblem(key: string, value: string): string | undefined {
  const name = foldTagKey(key);
  if (!name.startsWith(PREFIX)) return undefined;
  if (!NAMES.includes(name)) {
    return `Tag keys that begin with ${PREFIX} are limits: ${NAMES.join(", ")}.`;
  }
  const isQuota = QUOTAS.includes(name);
  const limit = isQuota ? parseLimit(value) : parseRate(value);
  return limit === undefined ? `The value of ${name} must be a whole number, at least ${isQuota ? 0 : 1}.` : undefined;
}

/** Whether tags limit what the user's buckets store. */
export function haveQuota(tags: readonly (readonly [key: string, value: string])[]): boolean {
  return tags.some(([key]) => QUOTAS.includes(foldTagKey(key)));
}

/** The rates that a user's tags contain. */
export function ratesOfTags(tags: Iterable<readonly [key: string, value: string]>): {
  readonly user: Rates;
  readonly accessKey: Rates;
} {
  const user: Partial<Record<RateKind, number | undefined>> = {};
  const accessKey: Partial<Record<RateKind, number | undefined>> = {};
  for (const [key, value] of tags) {
    const name = foldTagKey(key);
    const ofUser = USER_RATES[name];
    const ofKey = KEY_RATES[name];
    if (ofUser !== undefined) user[ofUser] = parseRate(value);
    else if (ofKey !== undefined) accessKey[ofKey] = parseRate(value);
  }
  return { user, accessKey };
}

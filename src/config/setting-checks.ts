// Checks single settings: reads a text from the environment, decides whether it is valid, and describes the valid ones.
// All readers and checks of settings use these functions, so that they agree.
import { fromBase64 } from "../bytes/hex-base64.ts";
import { isTargetName, parseWebhooks } from "./event-targets.ts";
import { parseUpstreams } from "./upstreams.ts";
import { isHostName, parseDelivery } from "../protocol/core/host-names.ts";

export interface Setting {
  readonly default: string;
  readonly meaning: string;
  /** The valid texts, if not every text is. */
  readonly values?: readonly string[];
  /** The valid range of a whole number. */
  readonly range?: readonly [least: number, greatest: number];
  /** The format of the text, and the words for that format. */
  readonly form?: { readonly matches: (text: string) => boolean; readonly words: string };
  /** Messages never contain a secret, not even an invalid one. */
  readonly isSecret?: true;
  /** Whether it controls deletion. While it is invalid, scheduled jobs delete nothing. */
  readonly controlsDeletion?: true;
}

/** The formats of settings. */
export const FORMS = {
  accountId: { matches: (text) => /^\d{12}$/.test(text), words: "12 digits" },
  // An access key id cannot contain the separators of a credential scope or of words in a header.
  accessKeyId: { matches: (text) => /^[\w.+@-]{3,128}$/.test(text), words: "3 to 128 letters, digits or any of ._+@-" },
  region: { matches: (text) => /^[a-z0-9-]{1,64}$/i.test(text), words: "up to 64 letters, digits and hyphens" },
  endpoint: { matches: isEndpoint, words: "a URL of scheme, host and port only, such as https://s3.example.com" },
  bucketName: {
    matches: (text) => /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(text),
    words: "a bucket name of 3 to 63 letters, digits, dots and hyphens",
  },
  masterKey: { matches: isMasterKey, words: "the base64 of 32 bytes: `openssl rand -base64 32` makes one" },
  masterKeys: {
    matches: (text) => itemsOf(text).every(isMasterKey),
    words: "the base64 of 32 bytes for each key, separated by commas",
  },
  hostName: { matches: isHostName, words: "a host name without scheme, port or path" },
  hostNames: {
    matches: (text) => itemsOf(text).every(isHostName),
    words: "host names, separated by commas, without scheme, port or path",
  },
  bearerToken: {
    matches: (text) => /^[\w.~+/-]{16,256}=*$/.test(text),
    words: "16 to 256 letters, digits or any of -._~+/",
  },
  cacheNamespace: {
    matches: (text) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text),
    words: "1 to 63 lower-case letters, digits and hyphens",
  },
  delivery: {
    matches: (text) => parseDelivery(text) !== undefined,
    words:
      "items such as cdn.example.com=bucket, cdn.example.com=bucket/prefix or *.site.example.com, separated by commas",
  },
  targetNames: {
    matches: (text) => itemsOf(text).every(isTargetName),
    words: "names of bindings, separated by commas",
  },
  webhooks: {
    matches: (text) => parseWebhooks(text) !== undefined,
    words:
      'JSON such as {"images": {"url": "https://example.com/hook", "secret": "…"}}, with secrets of 16 characters or more',
  },
  upstreams: {
    matches: (text) => parseUpstreams(text) !== undefined,
    words:
      'JSON such as {"old": {"endpoint": "https://s3.example.com", "region": "…", "accessKeyId": "…", "secretAccessKey": "…", "buckets": ["my-bucket"]}}',
  },
  backup: {
    matches: (text) => /^(?:latest|\d{8}T\d{6}Z)$/.test(text),
    words: "`latest`, or the id of a backup, which is its time: 20261129T000000Z",
  },
  bucketNames: {
    matches: (text) => itemsOf(text).every((item) => /^[a-z0-9.-]+\*?$/i.test(item)),
    words: "bucket names, separated by commas, each with a `*` at its end if it is a prefix",
  },
} as const satisfies Record<string, Setting["form"]>;

/**
 * The text of a setting; undefined if it is not set. Numbers and booleans in wrangler.toml arrive as such. Lists and
 * tables become a text that is invalid for every setting.
 */
export function givenText(env: object, name: string): string | undefined {
  const value: unknown = Reflect.get(env, name);
  if (value === undefined) return undefined;
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

/**
 * Whether a text is valid. An empty one is invalid for a setting that controls deletion, because a value was intended.
 */
export function isPossible({ values, range, form, controlsDeletion }: Setting, text: string): boolean {
  if (text === "") return controlsDeletion !== true;
  if (values !== undefined) return values.includes(text);
  if (range !== undefined) return /^\d+$/.test(text) && Number(text) >= range[0] && Number(text) <= range[1];
  return form === undefined || form.matches(text);
}

/** A problem of a setting. */
export interface SettingProblem {
  readonly setting: string;
  /** A sentence that contains the setting's name and its valid values, and no secret. */
  readonly message: string;
  /** Whether scheduled jobs delete nothing until the problem is fixed. */
  readonly stopsDeletion: boolean;
}

type SettingTable = Readonly<Record<string, Setting>>;

/** The invalid settings of an environment, and names that resemble those of settings. */
export function problemsOfTexts(table: SettingTable, env: object): SettingProblem[] {
  const problems: SettingProblem[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const text = givenText(env, name);
    if (text === undefined || isPossible(setting, text)) continue;
    const stopsDeletion = setting.controlsDeletion === true;
    problems.push({ setting: name, message: problemOf(name, setting, text), stopsDeletion });
  }
  for (const [name, value] of Object.entries(env)) {
    // Operators choose the names of database and bucket bindings, so those are not checked.
    const problem = typeof value === "object" || typeof value === "function" ? undefined : problemOfName(table, name);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** The problem of a name that resembles the name of a setting. */
export function problemOfName(table: SettingTable, name: string): SettingProblem | undefined {
  if (Object.hasOwn(table, name)) return undefined;
  const meant = Object.entries(table).find(([known]) => resembles(name, known));
  if (meant === undefined) return undefined;
  const [known, { controlsDeletion = false }] = meant;
  const message = `${name} is not the name of a setting; perhaps ${known} is meant`;
  return { setting: name, message, stopsDeletion: controlsDeletion };
}

/** Settings that are not set although others need them. */
export function missingCompanions<Name extends string>(
  companions: readonly (readonly [given: Name, needed: Name])[],
  env: object,
): SettingProblem[] {
  const isGiven = (name: Name): boolean => (givenText(env, name) ?? "") !== "";
  return companions
    .filter(([given, needed]) => isGiven(given) && !isGiven(needed))
    .map(([given, setting]) => ({
      setting,
      message: `${setting} is not given, but ${given} is`,
      stopsDeletion: false,
    }));
}

/** The message for an invalid setting. */
function problemOf(name: string, setting: Setting, text: string): string {
  const { values, range, form, isSecret } = setting;
  const possible =
    values?.join(", ") ?? (range === undefined ? (form?.words ?? "text") : `a whole number from ${range.join(" to ")}`);
  return isSecret === true
    ? `${name} is not ${possible}`
    : `${name} is ${JSON.stringify(text)}, and can be: ${possible}`;
}

/** The items of a comma-separated list. */
export function itemsOf(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Whether a text is the base64 of a master key's number of bytes. */
function isMasterKey(text: string): boolean {
  return fromBase64(text)?.length === 32;
}

function isEndpoint(text: string): boolean {
  // A path, a query or credentials would silently get lost.
  return /^https?:\/\/[a-z0-9.-]+(?::\d{1,5})?\/?$/i.test(text) && URL.canParse(text);
}

/** Whether a name is probably a misspelling of another: at most two letters differ, are missing or are extra. */
function resembles(name: string, other: string): boolean {
  const one = name.toUpperCase().replaceAll("-", "_");
  const allowed = other.length < 8 ? 1 : 2;
  if (Math.abs(one.length - other.length) > allowed) return false;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row[other.length] ?? Infinity) <= allowed;
}

/** The valid master keys, the current one first; none if the current one is invalid. */
export function masterKeys(current: string, previous: string): string[] {
  return isMasterKey(current) ? [current, ...itemsOf(previous).filter(isMasterKey)] : [];
}

// What one setting may be: how its text is taken from the environment, whether it is possible, and the words for what is
// possible. Every reader and every check of settings goes through here, so that no two of them disagree.
import { fromBase64 } from "../bytes/hex-base64.ts";

export interface Setting {
  readonly default: string;
  readonly meaning: string;
  /** What it can be, where that is not any text. */
  readonly values?: readonly string[];
  /** The least and the greatest that it can be, where it is a whole number. */
  readonly range?: readonly [least: number, greatest: number];
  /** The form of its text, and the words for that form. */
  readonly form?: { readonly matches: (text: string) => boolean; readonly words: string };
  /** A secret is never repeated, not even where it is wrong. */
  readonly isSecret?: true;
  /** Whether it says what is deleted and when: while it cannot be understood, nothing is deleted on the schedule. */
  readonly controlsDeletion?: true;
}

const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/i;

/** The forms that settings have. */
export const FORMS = {
  accountId: { matches: (text) => /^\d{12}$/.test(text), words: "12 digits" },
  // What separates the fields of a credential scope, or the words of a header, cannot be in an access key id.
  accessKeyId: { matches: (text) => /^[\w.+@-]{3,128}$/.test(text), words: "3 to 128 letters, digits or any of ._+@-" },
  region: { matches: (text) => /^[a-z0-9-]{1,64}$/i.test(text), words: "up to 64 letters, digits and hyphens" },
  masterKey: { matches: isMasterKey, words: "the base64 of 32 bytes: `openssl rand -base64 32` makes one" },
  masterKeys: {
    matches: (text) => itemsOf(text).every(isMasterKey),
    words: "the base64 of 32 bytes for each key, separated by commas",
  },
  hostNames: {
    matches: (text) => itemsOf(text).every((item) => HOST_NAME.test(item)),
    words: "host names, separated by commas, without scheme, port or path",
  },
  bucketNames: {
    matches: (text) => itemsOf(text).every((item) => /^[a-z0-9.-]+\*?$/i.test(item)),
    words: "bucket names, separated by commas, each with a `*` at its end if it is a prefix",
  },
} as const satisfies Record<string, Setting["form"]>;

/**
 * The text of a setting, or undefined where it is not given. Numbers and truth values of wrangler.toml reach the Worker as
 * such; lists and tables, which no setting can be, become a text that no setting can be.
 */
export function givenText(env: object, name: string): string | undefined {
  const value: unknown = Reflect.get(env, name);
  if (value === undefined) return undefined;
  if (typeof value === "string") return value.trim();
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

/** Whether a setting can be a text. Given empty, one that controls deletion was meant to be something. */
export function isPossible({ values, range, form, controlsDeletion }: Setting, text: string): boolean {
  if (text === "") return controlsDeletion !== true;
  if (values !== undefined) return values.includes(text);
  if (range !== undefined) return /^\d+$/.test(text) && Number(text) >= range[0] && Number(text) <= range[1];
  return form === undefined || form.matches(text);
}

/** What is wrong with a setting. */
export interface SettingProblem {
  readonly setting: string;
  /** In words that name it and what it can be, and repeat no secret. */
  readonly message: string;
  /** Whether nothing is deleted on the schedule until it is put right. */
  readonly stopsDeletion: boolean;
}

type SettingTable = Readonly<Record<string, Setting>>;

/** What is given in an environment that no setting of a table can be, and names that are almost those of settings. */
export function problemsOfTexts(table: SettingTable, env: object): SettingProblem[] {
  const problems: SettingProblem[] = [];
  for (const [name, setting] of Object.entries(table)) {
    const text = givenText(env, name);
    if (text === undefined || isPossible(setting, text)) continue;
    const stopsDeletion = setting.controlsDeletion === true;
    problems.push({ setting: name, message: problemOf(name, setting, text), stopsDeletion });
  }
  for (const [name, value] of Object.entries(env)) {
    // Databases and buckets have names that people choose.
    const problem = typeof value === "object" || typeof value === "function" ? undefined : problemOfName(table, name);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** That a name is not one of a setting, but almost. */
export function problemOfName(table: SettingTable, name: string): SettingProblem | undefined {
  if (Object.hasOwn(table, name)) return undefined;
  const meant = Object.entries(table).find(([known]) => resembles(name, known));
  if (meant === undefined) return undefined;
  const [known, { controlsDeletion = false }] = meant;
  const message = `${name} is not the name of a setting; perhaps ${known} is meant`;
  return { setting: name, message, stopsDeletion: controlsDeletion };
}

/** Settings that are not given though others need them. */
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

/** Words for a setting whose text is not possible. */
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

/** Whether a text is the base64 of as many bytes as a master key has. */
function isMasterKey(text: string): boolean {
  return fromBase64(text)?.length === 32;
}

/** Whether a name is probably a misspelling of another: at most two letters of it differ, are missing or are too many. */
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

/** The master keys that are some. Without one to seal with there is none at all. */
export function masterKeys(current: string, previous: string): string[] {
  return isMasterKey(current) ? [current, ...itemsOf(previous).filter(isMasterKey)] : [];
}

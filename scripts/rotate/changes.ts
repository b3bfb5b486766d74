// Determines which variables a rotation sets and deletes. Its first step stores the present value as the previous one,
// so that both are accepted; its last step deletes the previous value.
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY, makeCredentials } from "../project/credentials.ts";
import { MASTER_KEY, makeMasterKey } from "../project/master-key.ts";

const PREVIOUS_ACCESS_KEY_ID = "CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID";
const PREVIOUS_SECRET_ACCESS_KEY = "CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY";
export const PREVIOUS_MASTER_KEYS = "CAIRN_PREVIOUS_MASTER_KEYS";

/** The secret to rotate. */
export type Subject = "root" | "master-key";

type Variables = Readonly<Record<string, string | undefined>>;
/** New values by name; null deletes a variable. */
export type Changes = Readonly<Record<string, string | null>>;

/** The names of the current and the previous variables. */
export const NAMES: Readonly<
  Record<Subject, { readonly current: readonly string[]; readonly previous: readonly string[] }>
> = {
  root: {
    current: [ACCESS_KEY_ID, SECRET_ACCESS_KEY],
    previous: [PREVIOUS_ACCESS_KEY_ID, PREVIOUS_SECRET_ACCESS_KEY],
  },
  "master-key": { current: [MASTER_KEY], previous: [PREVIOUS_MASTER_KEYS] },
};

/** Generates new current values. */
export function makeCurrent(subject: Subject): Readonly<Record<string, string>> {
  if (subject === "master-key") return { [MASTER_KEY]: makeMasterKey() };
  const { accessKeyId, secretAccessKey } = makeCredentials();
  return { [ACCESS_KEY_ID]: accessKeyId, [SECRET_ACCESS_KEY]: secretAccessKey };
}

/**
 * The changes that start a rotation: the present values become the previous ones.
 * @throws Error when a present value is unknown
 */
export function beginChanges(subject: Subject, present: Variables, made: Readonly<Record<string, string>>): Changes {
  const { current, previous } = NAMES[subject];
  const preserved = current.map((name, index) => {
    const value = present[name]?.trim();
    if (!value) {
      throw new Error(
        `the present ${name} is not known, and would be lost: on this machine \`npm start\` makes one, and for a deployed Worker --current names a file with it.`,
      );
    }
    return [previous[index] ?? name, value] as const;
  });
  return { ...Object.fromEntries(preserved), ...made };
}

/** The changes that end a rotation. */
export function finishChanges(subject: Subject): Changes {
  return Object.fromEntries(NAMES[subject].previous.map((name) => [name, null]));
}

/** Whether a previous variable is set, so that a rotation is in progress. */
export function unfinished(subject: Subject, names: ReadonlySet<string>): boolean {
  return NAMES[subject].previous.some((name) => names.has(name));
}

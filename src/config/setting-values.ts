// The values of settings: those that the environment contains, else their defaults.
import { givenText, isPossible, itemsOf } from "./setting-checks.ts";
import { SETTINGS } from "./setting-table.ts";

export type SettingName = keyof typeof SETTINGS;
type NumberName = { [N in SettingName]: (typeof SETTINGS)[N] extends { range: unknown } ? N : never }[SettingName];

/** Settings of an S3 store that are needed together. */
export const BLOB_STORE = [
  "BLOB_STORE_ENDPOINT",
  "BLOB_STORE_BUCKET",
  "BLOB_STORE_ACCESS_KEY_ID",
  "BLOB_STORE_SECRET_ACCESS_KEY",
] as const satisfies readonly SettingName[];

export class SettingValues {
  readonly #env: object;

  constructor(env: object) {
    this.#env = env;
  }

  /** The given text, even an invalid one; the default if none is given. */
  text(name: SettingName): string {
    const given = givenText(this.#env, name);
    return given === undefined || given === "" ? SETTINGS[name].default : given;
  }

  /** The given text; the default if it is invalid or none is given. */
  valid(name: SettingName): string {
    const text = this.text(name);
    return isPossible(SETTINGS[name], text) ? text : SETTINGS[name].default;
  }

  /** Whether the given text, or the default, is this one. */
  is(name: SettingName, text: string): boolean {
    return this.text(name) === text;
  }

  /** The items of a list, in lower case. */
  list(name: SettingName): string[] {
    return itemsOf(this.valid(name).toLowerCase());
  }

  number(name: NumberName): number {
    return Number(this.valid(name));
  }
}

// Generates root credentials and stores the local ones in `.dev.vars`, a git-ignored file that wrangler also reads.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";

export const ACCESS_KEY_ID = "CAIRN_ROOT_ACCESS_KEY_ID";
export const SECRET_ACCESS_KEY = "CAIRN_ROOT_SECRET_ACCESS_KEY";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Generates credentials from the system's randomness: 75 bits of access key id, 240 bits of secret. */
export function makeCredentials(): Credentials {
  const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const accessKeyId = `CAIRN${Array.from(randomBytes(15), (byte) => base32.charAt(byte & 31)).join("")}`;
  let secretAccessKey = "";
  // Command lines would parse a secret with a leading hyphen as a flag.
  do secretAccessKey = randomBytes(30).toString("base64url");
  while (secretAccessKey.startsWith("-"));
  return { accessKeyId, secretAccessKey };
}

/** The variables in a folder's `.dev.vars`; empty when there is no such file. */
export function readDevVars(root: string): Readonly<Record<string, string>> {
  const variables = parseEnv(textOfDevVars(root));
  return Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/** The credentials of the environment if complete, otherwise those in `.dev.vars`, otherwise new ones stored there. */
export function rootCredentials(environment: Readonly<Record<string, string | undefined>>, root: string): Credentials {
  const given = pair(environment);
  if (given !== undefined) return given;
  const devVars = readDevVars(root);
  const stored = pair(devVars);
  if (stored !== undefined) return stored;
  if (ACCESS_KEY_ID in devVars || SECRET_ACCESS_KEY in devVars) {
    throw new Error(`.dev.vars gives only one of ${ACCESS_KEY_ID} and ${SECRET_ACCESS_KEY}: give both, or neither`);
  }
  const made = makeCredentials();
  saveToDevVars(root, { [ACCESS_KEY_ID]: made.accessKeyId, [SECRET_ACCESS_KEY]: made.secretAccessKey });
  return made;
}

/** The source of existing credentials; undefined when there are none yet. */
export function sourceOfCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): "environment" | "file" | undefined {
  if (pair(environment) !== undefined) return "environment";
  return pair(readDevVars(root)) === undefined ? undefined : "file";
}

/** Editors on Windows may begin the file with a byte order mark, which is no part of the first name. */
function textOfDevVars(root: string): string {
  const file = devVarsFile(root);
  return existsSync(file) ? readFileSync(file, "utf8").replace(/^\uFEFF/, "") : "";
}

/** The file that stores a folder's variables. */
export function devVarsFile(root: string): string {
  return join(root, ".dev.vars");
}

function pair(variables: Readonly<Record<string, string | undefined>>): Credentials | undefined {
  const accessKeyId = variables[ACCESS_KEY_ID];
  const secretAccessKey = variables[SECRET_ACCESS_KEY];
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
}

/** Deletes variables from `.dev.vars`. */
export function deleteFromDevVars(root: string, names: readonly string[]): void {
  saveToDevVars(root, {}, names);
}

/** Writes variables to `.dev.vars`, replacing existing lines of the same name, and deletes others. */
export function saveToDevVars(
  root: string,
  variables: Readonly<Record<string, string>>,
  deleted: readonly string[] = [],
): void {
  const file = devVarsFile(root);
  const before = textOfDevVars(root);
  // An old line with an empty value would hide the new one.
  const others = before.split("\n").filter((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? "";
    return !Object.hasOwn(variables, name) && !deleted.includes(name);
  });
  const unchanged = others.join("\n").trimEnd();
  const added = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, (unchanged === "" ? "" : `${unchanged}\n`) + added.join(""), { mode: 0o600 });
  chmodSync(file, 0o600);
}

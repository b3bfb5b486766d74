// Makes root credentials, and keeps the local ones in `.dev.vars`, the git-ignored file that wrangler reads too.
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

/** Makes new credentials from the system's randomness: 75 bits of access key id, 240 bits of secret. */
export function makeCredentials(): Credentials {
  const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const accessKeyId = `CAIRN${Array.from(randomBytes(15), (byte) => base32.charAt(byte & 31)).join("")}`;
  let secretAccessKey = "";
  // A leading hyphen would read as a flag wherever the secret is pasted after an option's name.
  do secretAccessKey = randomBytes(30).toString("base64url");
  while (secretAccessKey.startsWith("-"));
  return { accessKeyId, secretAccessKey };
}

/** The variables that a folder's `.dev.vars` gives; none when there is no such file. */
export function readDevVars(root: string): Readonly<Record<string, string>> {
  const file = devVarsFile(root);
  const variables = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  return Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/** The credentials that the environment gives whole, else those of `.dev.vars`, else new ones kept there. */
export function rootCredentials(environment: Readonly<Record<string, string | undefined>>, root: string): Credentials {
  const given = pair(environment);
  if (given !== undefined) return given;
  const devVars = readDevVars(root);
  const kept = pair(devVars);
  if (kept !== undefined) return kept;
  if (ACCESS_KEY_ID in devVars || SECRET_ACCESS_KEY in devVars) {
    throw new Error(`.dev.vars gives only one of ${ACCESS_KEY_ID} and ${SECRET_ACCESS_KEY}: give both, or neither`);
  }
  const made = makeCredentials();
  keepInDevVars(root, { [ACCESS_KEY_ID]: made.accessKeyId, [SECRET_ACCESS_KEY]: made.secretAccessKey });
  return made;
}

/** Where credentials are that were given or made before; undefined where there are none yet. */
export function sourceOfCredentials(
  environment: Readonly<Record<string, string | undefined>>,
  root: string,
): "environment" | "file" | undefined {
  if (pair(environment) !== undefined) return "environment";
  return pair(readDevVars(root)) === undefined ? undefined : "file";
}

/** The file in which a folder's variables are kept. */
export function devVarsFile(root: string): string {
  return join(root, ".dev.vars");
}

function pair(variables: Readonly<Record<string, string | undefined>>): Credentials | undefined {
  const accessKeyId = variables[ACCESS_KEY_ID];
  const secretAccessKey = variables[SECRET_ACCESS_KEY];
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
}

/** Removes variables from `.dev.vars`. */
export function removeFromDevVars(root: string, names: readonly string[]): void {
  keepInDevVars(root, {}, names);
}

/** Writes variables to `.dev.vars`, each in the place of a line that it has there already. */
export function keepInDevVars(
  root: string,
  variables: Readonly<Record<string, string>>,
  removed: readonly string[] = [],
): void {
  const file = devVarsFile(root);
  const before = existsSync(file) ? readFileSync(file, "utf8") : "";
  // A name given with an empty value would hide the line that is added, so its old line goes.
  const others = before.split("\n").filter((line) => {
    const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1] ?? "";
    return !Object.hasOwn(variables, name) && !removed.includes(name);
  });
  const kept = others.join("\n").trimEnd();
  const added = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, (kept === "" ? "" : `${kept}\n`) + added.join(""), { mode: 0o600 });
  chmodSync(file, 0o600);
}

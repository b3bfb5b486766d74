// Makes the master key under which secrets are sealed, and keeps the local one in `.dev.vars` beside the credentials.
import { randomBytes } from "node:crypto";
import { keepInDevVars, readDevVars } from "./credentials.ts";

export const MASTER_KEY = "CAIRN_MASTER_KEY";

const KEY_BYTES = 32;

/** Makes a new master key from the system's randomness. */
export function makeMasterKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

/** The master key that the environment gives, else that of `.dev.vars`, else a new one kept there. */
export function masterKey(environment: Readonly<Record<string, string | undefined>>, root: string): string {
  // One that is given empty is not given: making another would lose what is sealed under the one that is kept.
  const given = environment[MASTER_KEY]?.trim() || readDevVars(root)[MASTER_KEY]?.trim();
  if (given) {
    if (isMasterKey(given)) return given;
    throw new Error(
      `${MASTER_KEY} is not the base64 of ${KEY_BYTES} bytes: \`openssl rand -base64 ${KEY_BYTES}\` makes one`,
    );
  }
  const made = makeMasterKey();
  keepInDevVars(root, { [MASTER_KEY]: made });
  return made;
}

function isMasterKey(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === KEY_BYTES && bytes.toString("base64") === text;
}

// Generates the master key that encrypts secrets and stores the local one in `.dev.vars` with the credentials.
import { randomBytes } from "node:crypto";
import { readDevVars, saveToDevVars } from "./credentials.ts";

export const MASTER_KEY = "CAIRN_MASTER_KEY";

const KEY_BYTES = 32;

/** Generates a master key from the system's randomness. */
export function makeMasterKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

/** The master key of the environment, otherwise that in `.dev.vars`, otherwise a new one stored there. */
export function masterKey(environment: Readonly<Record<string, string | undefined>>, root: string): string {
  // An empty variable counts as missing: a new key could not decrypt what the stored key encrypted.
  const given = environment[MASTER_KEY]?.trim() || readDevVars(root)[MASTER_KEY]?.trim();
  if (given) {
    if (isMasterKey(given)) return given;
    throw new Error(
      `${MASTER_KEY} is not the base64 of ${KEY_BYTES} bytes: \`openssl rand -base64 ${KEY_BYTES}\` makes one`,
    );
  }
  const made = makeMasterKey();
  saveToDevVars(root, { [MASTER_KEY]: made });
  return made;
}

function isMasterKey(text: string): boolean {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === KEY_BYTES && bytes.toString("base64") === text;
}

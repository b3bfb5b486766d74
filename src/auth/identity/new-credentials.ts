// Makes ids and secrets in the forms that AWS's have, from the runtime's randomness.
import { toBase64Url } from "../../bytes/hex-base64.ts";
import { randomDigits } from "../../bytes/random-id.ts";

/** 80 random bits. */
const ID_DIGITS = 16;
const SECRET_BYTES = 30;

/** What the first letters of an id say of its owner. */
export const ID_PREFIXES = { user: "AIDA", accessKey: "AKIA", session: "ASIA", role: "AROA" } as const;

/** A new id of a kind. */
export function newId(kind: keyof typeof ID_PREFIXES): string {
  return `${ID_PREFIXES[kind]}${randomDigits(ID_DIGITS).toUpperCase()}`;
}

/** Whether a text has the form of a user's access key id: no other can be one, whatever is stored. */
export function isAccessKeyId(text: string): boolean {
  return /^AKIA[0-9A-V]{16}$/.test(text);
}

/** A new secret access key: 240 random bits in 40 characters. */
export function newSecret(): string {
  // A leading hyphen would read as a flag wherever the secret is pasted after an option's name.
  for (;;) {
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    if (!secret.startsWith("-")) return secret;
  }
}

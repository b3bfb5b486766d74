// Generates random ids and secrets in AWS's formats.
import { toBase64Url } from "../../bytes/hex-base64.ts";
import { randomDigits } from "../../bytes/random-id.ts";

/** 80 random bits. */
const ID_DIGITS = 16;
const SECRET_BYTES = 30;

/** AWS's prefixes of ids, by kind. */
export const ID_PREFIXES = { user: "AIDA", accessKey: "AKIA", session: "ASIA", role: "AROA" } as const;

/** A new id of the given kind. */
export function newId(kind: keyof typeof ID_PREFIXES): string {
  return `${ID_PREFIXES[kind]}${randomDigits(ID_DIGITS).toUpperCase()}`;
}

/** Whether a text has the format of a user's access key id. Other texts need no lookup. */
export function isAccessKeyId(text: string): boolean {
  return /^AKIA[0-9A-V]{16}$/.test(text);
}

/** A new secret access key: 240 random bits in 40 characters. */
export function newSecret(): string {
  // A leading hyphen looks like a flag if the secret is pasted after an option's name.
  for (;;) {
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    if (!secret.startsWith("-")) return secret;
  }
}

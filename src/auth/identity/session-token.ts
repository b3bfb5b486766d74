// Session tokens: temporary credentials without a row. A token is encrypted under the master key and bound to its
// access key id. It contains the secret, the limits of the session and the parent access key.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
import type { Session } from "./principal.ts";
import type { KeyRing } from "./key-ring.ts";

/** The contents of a session token. */
export interface SessionFacts {
  readonly kind: Session["kind"];
  /** The session's name. */
  readonly name: string;
  /** The name of the assumed role, with its path. */
  readonly role?: string | undefined;
  /** Whether the session may call IAM; undefined: as its kind may. */
  readonly mayCallIam?: boolean | undefined;
  readonly secretAccessKey: string;
  /** The session policy as sent. */
  readonly policy?: string | undefined;
  /** The long-lived access key that started the session; the session ends with it. */
  readonly parentAccessKeyId: string;
  /** For root, a digest of its secret, which can change under the same id. */
  readonly rootDigest?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The stored form. Its field names must not change, because issued tokens contain them. */
interface StoredFacts extends Omit<SessionFacts, "parentAccessKeyId"> {
  readonly beganBy: string;
}

/** Encrypts a token: the master key's version, a dot and the ciphertext. */
export async function createSessionToken(keys: KeyRing, accessKeyId: string, facts: SessionFacts): Promise<string> {
  const { parentAccessKeyId: beganBy, ...others } = facts;
  const stored: StoredFacts = { ...others, beganBy };
  const { keyVersion, ciphertext } = await keys.encrypt(JSON.stringify(stored), ownerOf(accessKeyId));
  return `${keyVersion}.${ciphertext}`;
}

/** Decrypts a token, expired or not; undefined if it does not belong to this access key. */
export async function readSessionToken(
  keys: KeyRing,
  accessKeyId: string,
  token: string,
): Promise<SessionFacts | undefined> {
  const [keyVersion = "", ciphertext = "", ...rest] = token.split(".");
  if (rest.length > 0) return undefined;
  const text = await keys.decrypt({ keyVersion, ciphertext }, ownerOf(accessKeyId));
  if (text === undefined) return undefined;
  // Only createSessionToken writes texts that decrypt here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { beganBy: parentAccessKeyId, ...facts } = JSON.parse(text) as StoredFacts;
  return { ...facts, parentAccessKeyId };
}

/** The digest of root's secret in root's session tokens, which end when the secret changes. */
export async function rootSecretDigest(secretAccessKey: string): Promise<string> {
  return toHex(await digest("SHA-256", utf8(`root ${secretAccessKey}`)));
}

/** The prefix keeps a token from decrypting as an access key's secret, and the other way round. */
function ownerOf(accessKeyId: string): string {
  return `session ${accessKeyId}`;
}

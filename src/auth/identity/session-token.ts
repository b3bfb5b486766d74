// Session tokens: temporary credentials that need no row of their own. A token is sealed under the master key and bound
// to its access key id; it carries the secret, the bounds of the session, and the long-lived access key that began it.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { utf8 } from "../../bytes/text.ts";
import type { Session } from "./principal.ts";
import type { KeyRing } from "./sealing.ts";

/** What a token says. */
export interface SessionFacts {
  readonly kind: Session["kind"];
  /** The session's name. */
  readonly name: string;
  /** The name of the role that was assumed, path and all. */
  readonly role?: string | undefined;
  /** Whether its holder may call IAM; undefined: as sessions of its kind may. */
  readonly mayCallIam?: boolean | undefined;
  readonly secretAccessKey: string;
  /** The session policy as it was given. */
  readonly policy?: string | undefined;
  /** The long-lived access key by which the session lives. */
  readonly beganBy: string;
  /** Where that is root's, a digest of its secret, which may be changed under the same id. */
  readonly rootDigest?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Seals a token: the master key's version, a dot, and what is sealed. */
export async function sealSession(keys: KeyRing, accessKeyId: string, facts: SessionFacts): Promise<string> {
  const { keyVersion, box } = await keys.seal(JSON.stringify(facts), ownerOf(accessKeyId));
  return `${keyVersion}.${box}`;
}

/** What a token says, expired or not; undefined where it is none of this access key's. */
export async function openSession(
  keys: KeyRing,
  accessKeyId: string,
  token: string,
): Promise<SessionFacts | undefined> {
  const [keyVersion = "", box = "", ...others] = token.split(".");
  if (others.length > 0) return undefined;
  const text = await keys.open({ keyVersion, box }, ownerOf(accessKeyId));
  // What opens is what sealSession wrote.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === undefined ? undefined : (JSON.parse(text) as SessionFacts);
}

/** What a session of root's remembers of the secret that root had when it began. */
export async function rootSecretDigest(secretAccessKey: string): Promise<string> {
  return toHex(await digest("SHA-256", utf8(`root ${secretAccessKey}`)));
}

/** Neither can a token be taken for a secret that the same key sealed, nor the other way round. */
function ownerOf(accessKeyId: string): string {
  return `session ${accessKeyId}`;
}

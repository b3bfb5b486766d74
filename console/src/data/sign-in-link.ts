// Sign-in links: credentials in the fragment of the address, which browsers do not send. A link that works once has those
// of a session that can only begin another one.
import { Connection, type Credentials } from "../clients/connection.ts";
import { assumeRole } from "../clients/sts.ts";

const PREFIX = "#sign-in=";
const LINK = /^#sign-in=([\w-]+)$/;
/** In seconds; the session ends with the link's at the latest. */
const SESSION_SECONDS = 3600;
const SESSION_NAME = "sign-in-link";

export interface SignInDetails extends Credentials {
  /** When temporary credentials end, in ms, if it is known. */
  readonly expiresAt?: number;
  /** The role whose session these credentials can begin, once. */
  readonly roleArn?: string;
}

export function isSignInLink(hash: string): boolean {
  return hash.startsWith(PREFIX);
}

/** Takes the credentials of a link out of the address and the history; undefined if they are incomplete. */
export function takeLink(): SignInDetails | undefined {
  const text = LINK.exec(location.hash)?.[1];
  history.replaceState(null, "", `${location.pathname}#/`);
  return text === undefined ? undefined : readDetails(decodeBase64Url(text));
}

/**
 * The credentials that a link stands for: its own, or those of the session that it can begin.
 * @throws ServiceError ExpiredToken if it has begun it before
 */
export async function redeem(details: SignInDetails): Promise<SignInDetails> {
  const { roleArn, ...credentials } = details;
  if (roleArn === undefined) return details;
  return assumeRole(new Connection(location.origin, credentials), roleArn, SESSION_NAME, undefined, SESSION_SECONDS);
}

function decodeBase64Url(text: string): string {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return "";
  }
}

/** Reads details from JSON; undefined if they are no credentials. */
export function readDetails(text: string): SignInDetails | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const at = (name: string): unknown => Reflect.get(value, name);
    const [accessKeyId, secretAccessKey] = [at("accessKeyId"), at("secretAccessKey")];
    const [sessionToken, expiresAt, roleArn] = [at("sessionToken"), at("expiresAt"), at("roleArn")];
    if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") return undefined;
    return {
      accessKeyId,
      secretAccessKey,
      ...(typeof sessionToken === "string" ? { sessionToken } : {}),
      ...(typeof expiresAt === "number" ? { expiresAt } : {}),
      ...(typeof roleArn === "string" ? { roleArn } : {}),
    };
  } catch {
    return undefined;
  }
}

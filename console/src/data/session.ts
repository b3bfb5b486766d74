// The session: the signed-in principal. Secrets are in the memory of this page, and in sessionStorage only if the user
// chose that.
import { signal } from "@preact/signals";
import { interruptJobs } from "./background-jobs.ts";
import { Connection, type Credentials } from "../clients/connection.ts";
import { NetworkFailure } from "../clients/failures.ts";
import { getPublicEndpoint } from "../clients/public-endpoint.ts";
import { getCallerIdentity } from "../clients/sts.ts";

const STORAGE_KEY = "cairn.session";
const LINK = /^#sign-in=([\w-]+)$/;

export interface Session {
  readonly connection: Connection;
  readonly account: string;
  readonly arn: string;
  /** `root`, a user's name, or a session's. */
  readonly name: string;
  /** When temporary credentials end, in ms, if the link said so. */
  readonly expiresAt: number | undefined;
}

export interface SignInDetails extends Credentials {
  readonly expiresAt?: number;
}

const current = signal<Session | undefined>(undefined);
/** Why there is no session. */
export const signedOutBecause = signal<"expired" | "bad-link" | "unreachable" | undefined>(undefined);
/** Whether the form is shown in front of what is open, because the credentials of the session are no longer accepted. */
export const isSigningInAgain = signal(false);
/** Called after the next sign-in of the same principal. */
let interrupted: (() => void)[] = [];
/** The credentials of a resumption that could not reach the server. */
let waiting: SignInDetails | undefined;

/** The session; undefined before the sign-in. */
export function currentSession(): Session | undefined {
  return current.value;
}

/** The connection of the session. Screens are shown only after a sign-in. @throws Error */
export function useConnection(): Connection {
  return requireSession().connection;
}

/** @throws Error without a session */
export function requireSession(): Session {
  if (current.value === undefined) throw new Error("there is no session");
  return current.value;
}

/**
 * Signs in, if the server knows the credentials.
 * @throws ServiceError, NetworkFailure
 */
export async function signIn(details: SignInDetails, { remember }: { readonly remember: boolean }): Promise<void> {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = details;
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  const { endpoint, sites } = await getPublicEndpoint(location);
  const connection = new Connection(location.origin, credentials, "auto", endpoint, sites);
  const { account, arn } = await getCallerIdentity(connection);
  if (remember) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(details));
  else sessionStorage.removeItem(STORAGE_KEY);
  signedOutBecause.value = undefined;
  isSigningInAgain.value = false;
  const goesOn = interrupted;
  interrupted = [];
  if (current.value?.arn !== arn) {
    current.value = { connection, account, arn, name: nameOf(arn), expiresAt };
    return;
  }
  // Screens and background work have the connection already.
  current.value.connection.renew(credentials);
  current.value = { ...current.value, expiresAt };
  for (const goOn of goesOn) goOn();
}

/** Asks for credentials again, in front of the screen. `goOn` is called when the same principal has signed in. */
export function signInAgain(goOn?: () => void): void {
  if (goOn !== undefined) interrupted.push(goOn);
  isSigningInAgain.value = true;
}

export function cancelSignInAgain(): void {
  interrupted = [];
  isSigningInAgain.value = false;
}

/** Clears the credentials. */
export function signOut(because?: "expired"): void {
  interruptJobs();
  cancelSignInAgain();
  sessionStorage.removeItem(STORAGE_KEY);
  signedOutBecause.value = because;
  current.value = undefined;
}

/**
 * Signs in with the credentials of a sign-in link, which it removes from the address, or with those stored in this tab.
 * Never rejects: refused credentials lead to the sign-in form.
 */
export async function resumeSession(): Promise<void> {
  const linked = takeLink() ?? waiting;
  const kept = linked ?? readDetails(sessionStorage.getItem(STORAGE_KEY) ?? "");
  if (kept === undefined) return;
  try {
    await signIn(kept, { remember: linked === undefined });
    waiting = undefined;
  } catch (failure) {
    if (failure instanceof NetworkFailure) {
      waiting = linked;
      signedOutBecause.value = "unreachable";
    } else {
      waiting = undefined;
      signOut("expired");
    }
  }
}

/** Removes the credentials of a sign-in link from the address and the history. */
function takeLink(): SignInDetails | undefined {
  if (!location.hash.startsWith("#sign-in=")) return undefined;
  const text = LINK.exec(location.hash)?.[1];
  history.replaceState(null, "", `${location.pathname}#/`);
  const details = text === undefined ? undefined : readDetails(decodeBase64Url(text));
  if (details === undefined) signedOutBecause.value = "bad-link";
  return details;
}

function decodeBase64Url(text: string): string {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return "";
  }
}

function readDetails(text: string): SignInDetails | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const at = (name: string): unknown => Reflect.get(value, name);
    const [accessKeyId, secretAccessKey] = [at("accessKeyId"), at("secretAccessKey")];
    const [sessionToken, expiresAt] = [at("sessionToken"), at("expiresAt")];
    if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string") return undefined;
    return {
      accessKeyId,
      secretAccessKey,
      ...(typeof sessionToken === "string" ? { sessionToken } : {}),
      ...(typeof expiresAt === "number" ? { expiresAt } : {}),
    };
  } catch {
    return undefined;
  }
}

/** The last part of an ARN: `arn:aws:iam::0:user/alice` is `alice`. */
function nameOf(arn: string): string {
  return arn.split(":").at(-1)?.split("/").at(-1) ?? arn;
}

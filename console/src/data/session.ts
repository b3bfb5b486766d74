// The session: the signed-in principal. Secrets are in the memory of this page, and in sessionStorage only if the user
// chose that.
import { signal } from "@preact/signals";
import { interruptJobs } from "./background-jobs.ts";
import { Connection } from "../clients/connection.ts";
import { NetworkFailure } from "../clients/failures.ts";
import { getPublicEndpoint } from "../clients/public-endpoint.ts";
import { getCallerIdentity } from "../clients/sts.ts";
import { t } from "../i18n/language.ts";
import { isSignInLink, readDetails, redeem, type SignInDetails, takeLink } from "./sign-in-link.ts";
import { showToast } from "./toasts.ts";

const STORAGE_KEY = "cairn.session";

export interface Session {
  readonly connection: Connection;
  readonly account: string;
  readonly arn: string;
  /** `root`, a user's name, or a session's. */
  readonly name: string;
  /** When temporary credentials end, in ms, if the link said so. */
  readonly expiresAt: number | undefined;
}

const current = signal<Session | undefined>(undefined);
/** Why there is no session. */
export const signedOutBecause = signal<"expired" | "bad-link" | "ended-link" | "unreachable" | undefined>(undefined);
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
 * Never rejects: refused credentials lead to the sign-in form, or change nothing if there is a session.
 */
export async function resumeSession(): Promise<void> {
  const isLink = isSignInLink(location.hash);
  const taken = isLink ? takeLink() : undefined;
  if (isLink && taken === undefined) endWith("bad-link");
  let linked = taken ?? waiting;
  const kept = linked ?? (current.value === undefined ? keptDetails() : undefined);
  if (kept === undefined) return;
  try {
    const details = await redeem(kept);
    // A link that was redeemed is spent: its session is what another attempt goes on with.
    if (linked !== undefined) linked = details;
    await signIn(details, { remember: linked === undefined });
    waiting = undefined;
  } catch (failure) {
    const isLost = failure instanceof NetworkFailure;
    waiting = isLost ? linked : undefined;
    endWith(isLost ? "unreachable" : linked === undefined ? "expired" : "ended-link");
  }
}

/** Follows sign-in links that are opened while the page is: the browser changes the fragment, and loads nothing. */
export function watchLinks(): void {
  addEventListener("hashchange", () => {
    if (isSignInLink(location.hash)) void resumeSession();
  });
}

function keptDetails(): SignInDetails | undefined {
  return readDetails(sessionStorage.getItem(STORAGE_KEY) ?? "");
}

/** Says why there is no session, or why a link has not replaced the one that there is. */
function endWith(because: "expired" | "bad-link" | "ended-link" | "unreachable"): void {
  if (current.value === undefined) {
    if (because === "expired") signOut();
    signedOutBecause.value = because;
    return;
  }
  if (because === "unreachable") {
    const action = { label: t("action.retry"), run: () => void resumeSession() };
    showToast(t("error.network"), { kind: "failure", action });
  } else showToast(t(because === "bad-link" ? "signIn.badLink" : "signIn.endedLink"), { kind: "failure" });
}

/** The last part of an ARN: `arn:aws:iam::0:user/alice` is `alice`. */
function nameOf(arn: string): string {
  return arn.split(":").at(-1)?.split("/").at(-1) ?? arn;
}

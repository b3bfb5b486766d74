// Links that sign in to the web console, with temporary credentials of root in the fragment, which browsers do not send.
import { Caller, keysIn, type Place, textIn } from "../tenancy/caller.ts";
import type { Credentials } from "./credentials.ts";

export const CONSOLE_PATH = "/_/console/";
/** As long as the longest session of root, in seconds. */
const LIFE_SECONDS = "3600";

/**
 * A link that works once, within one hour. Its session can only begin the one that the console then has: a role's, so that
 * it may call IAM. Both end after the hour, and with root's credentials.
 * @throws Error if the endpoint does not answer, or refuses
 */
export async function signInLink(place: Place, root: Credentials): Promise<string> {
  const caller = new Caller(place, root);
  const account = textIn(await caller.sts("GetCallerIdentity"), "Account");
  const xml = await caller.sts("AssumeRole", {
    RoleArn: `arn:aws:iam::${account}:role/one-time/console`,
    RoleSessionName: "sign-in-link",
    DurationSeconds: LIFE_SECONDS,
  });
  const details = JSON.stringify({ ...keysIn(xml), roleArn: `arn:aws:iam::${account}:role/console` });
  return `${place.endpoint}${CONSOLE_PATH}#sign-in=${Buffer.from(details).toString("base64url")}`;
}

const PAUSE_MS = 2000;
const ATTEMPTS = 3;

/** The link of an endpoint that was deployed just now, and may not answer yet; undefined if it does not. */
export async function signInLinkSoon(place: Place, root: Credentials): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      return await signInLink(place, root);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
  return undefined;
}

// The link to the web console at the end of a deployment, where this deployment knows root's secret and shows secrets.
import { SETTINGS } from "../../src/config/settings.ts";
import { ACCESS_KEY_ID, SECRET_ACCESS_KEY } from "../project/credentials.ts";
import { signInLinkSoon } from "../project/sign-in-link.ts";
import type { Handover, Secrets } from "./secrets.ts";

/** The text with the link; undefined where there is none. */
export async function consoleLink(
  [endpoint]: readonly string[],
  region: string = SETTINGS.REGION.default,
  handover: Handover,
  known: Secrets,
): Promise<string | undefined> {
  const [accessKeyId, secretAccessKey] = [known[ACCESS_KEY_ID], known[SECRET_ACCESS_KEY]];
  if (endpoint === undefined || handover.kind !== "terminal" || !accessKeyId || !secretAccessKey) return undefined;
  const place = { endpoint: endpoint.replace(/\/$/, ""), region };
  const link = await signInLinkSoon(place, { accessKeyId, secretAccessKey });
  return link && `\nThis link signs in to the console, once, within an hour:\n  ${link}`;
}

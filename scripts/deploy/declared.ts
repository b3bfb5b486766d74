// What the deployment is to be, as wrangler.toml and the build service say it. Wrangler would read some of that from the
// environment by itself, and so upload another Worker than the one that was looked at.
import { type WranglerToml, readWranglerToml } from "../project/wrangler-toml.ts";
import { DeployFailure } from "./failure.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads wrangler.toml. In a build service of Cloudflare, the Worker has the name that it was connected under.
 * @throws DeployFailure if one of wrangler's environments is chosen
 */
export function readDeclared(environment: Environment): WranglerToml {
  const chosen = environment["CLOUDFLARE_ENV"];
  if (chosen !== undefined && chosen !== "") {
    throw new DeployFailure(
      `CLOUDFLARE_ENV is ${chosen}, and Cairn is not deployed with environments of wrangler: unset it. A second Cairn has other names in a wrangler.toml of its own.`,
    );
  }
  const toml = readWranglerToml();
  const name = environment["WRANGLER_CI_OVERRIDE_NAME"] || toml.name;
  return { ...toml, name, document: { ...toml.document, name } };
}

/** What wrangler is not to read from the environment: each upload has its own Worker's name. */
export const UNREAD = {
  WRANGLER_CI_OVERRIDE_NAME: undefined,
  WRANGLER_CI_MATCH_TAG: undefined,
  CLOUDFLARE_ENV: undefined,
} as const;

// What a deployment says at its end: where Cairn is, what to try, and how to go back.
import { SETTINGS } from "../../src/config/settings.ts";

/** What became of the Worker that only delivers. */
export interface Delivered {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly previousVersion: string | undefined;
  /** Names of secrets that the S3 endpoint has and it lacks. */
  readonly unknownSecrets: readonly string[];
}

/** The version that this deployment replaced. */
export interface PreviousVersion {
  readonly id: string;
  /** Whether it can read bodies that this version stores in the database. */
  readonly readsSmallBlobs: boolean;
}

/** The text for the end of a deployment. */
export function nextSteps(
  endpoints: readonly string[],
  region: string | undefined,
  {
    previous,
    lacksSecrets,
    delivered,
    consoleHost,
  }: {
    previous: PreviousVersion | undefined;
    lacksSecrets: boolean;
    delivered: Delivered | undefined;
    consoleHost: string | undefined;
  },
): string {
  const endpoint = endpoints[0] ?? "ENDPOINT";
  const console = consoleHost ? `https://${consoleHost}/` : `${endpoint.replace(/\/$/, "")}/_/console/`;
  return `
Cairn is deployed.

  endpoint   ${endpoints[0] ?? "as the routes in wrangler.toml say"}
  region     ${region ?? SETTINGS.REGION.default}
  console    ${console}
  try it     aws --endpoint-url ${endpoint} --region ${region ?? SETTINGS.REGION.default} s3 mb s3://my-bucket
${previous === undefined ? "" : rollbackText(previous)}${delivered === undefined ? "" : deliveryText(delivered)}${
    lacksSecrets
      ? "\nThe Worker has no root credentials or no master key: run `npm run deploy` at a terminal to make them, or set\nCAIRN_ROOT_ACCESS_KEY_ID, CAIRN_ROOT_SECRET_ACCESS_KEY and CAIRN_MASTER_KEY with `npx wrangler secret put`.\n"
      : ""
  }
On workers.dev it works as it is. On a domain of your own, turn off "Normalize incoming URLs" in the zone's Rules settings,
or keys with // or with . and .. between slashes cannot be reached; and a request's body is limited by the zone's plan (100 MB
on Free and Pro), so larger objects are uploaded in parts, as the usual clients do by themselves.`;
}

function rollbackText({ id, readsSmallBlobs }: PreviousVersion): string {
  const command = `  go back    npx wrangler rollback ${id}\n`;
  if (readsSmallBlobs) return command;
  return `${command}             That version cannot read the small bodies that this one stores in the database. Before you go back, see
             docs/questions.md#how-do-i-upgrade-and-go-back, or deploy with INLINE_MAX_BYTES = "0" in [vars] now.
`;
}

function deliveryText({ name, hosts, previousVersion, unknownSecrets }: Delivered): string {
  const places = hosts.length === 0 ? "as its routes in the dashboard say" : hosts.join(", ");
  const back =
    previousVersion === undefined
      ? ""
      : `  go back    npx wrangler rollback ${previousVersion} --config wrangler.delivery.toml\n`;
  const lacking =
    unknownSecrets.length === 0
      ? ""
      : `
The Worker ${name} lacks ${unknownSecrets.join(", ")}, which cannot be read from the other one.
Until it has them it refuses presigned URLs: deploy again with them in the environment, or run
\`npx wrangler secret put NAME --config wrangler.delivery.toml\` for each.
`;
  return `  delivery   ${places}\n${back}${lacking}`;
}

// The command line of `npm run deploy`.
import { parseArgs } from "node:util";
import { isLocation, locationNames } from "./location.ts";

export const USAGE = `Usage: npm run deploy -- [--location PLACE] [--credentials-file PATH] [--dry-run]

Deploys Cairn to the Cloudflare account that wrangler is logged in to, the first time and every time after. What stopped
half-way is run again as it is.

  --location PLACE          where D1, R2, the coordinators and the Worker are: ${locationNames()};
                            asked for once, and kept in wrangler.toml
  --credentials-file PATH   write new root credentials and a new master key to this file (mode 0600) and do not show them
  --dry-run                 say what would be done and build the Worker; nothing is sent
  --help                    this text`;

export interface DeployOptions {
  readonly location: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly isDryRun: boolean;
  readonly wantsHelp: boolean;
}

/** Reads the command line; throws what is wrong with it. */
export function readOptions(args: readonly string[]): DeployOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      location: { type: "string" },
      "credentials-file": { type: "string" },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const { location } = values;
  if (location !== undefined && !isLocation(location)) {
    throw new Error(`--location ${location}: expected one of ${locationNames()}`);
  }
  return {
    location,
    credentialsFile: values["credentials-file"],
    isDryRun: values["dry-run"],
    wantsHelp: values.help,
  };
}

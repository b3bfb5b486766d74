// Parses the command line of `npm start` and contains the text of --help.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { MOST_DATABASES } from "./databases.ts";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";

export const USAGE = `Usage: npm start -- [--port PORT] [--host HOST] [--state DIR] [--databases N]

Serves Cairn on this machine with the Workers runtime, and stores all data in one folder.

  --port PORT   port to listen on (default 9000; 0 picks a free one)
  --host HOST   address to listen on (default 127.0.0.1)
  --state DIR   folder of all stored data (default .cairn in the project)
  --databases N store metadata in N databases (default: as many as the folder has; it keeps those)
  --help        this text

Root credentials are read from CAIRN_ROOT_ACCESS_KEY_ID and CAIRN_ROOT_SECRET_ACCESS_KEY in the environment or in
.dev.vars. The first start generates them and writes them to .dev.vars, together with CAIRN_MASTER_KEY, which encrypts the
secrets of users' access keys. Other settings are read from the same two places.`;

export interface StartOptions {
  readonly help: boolean;
  readonly port: number;
  readonly host: string;
  readonly state: string;
  readonly databases: number;
}

/** An invalid command line; its message contains the reason. */
export class UsageError extends Error {}

/** Reads the arguments after `node scripts/start.ts`. */
export function readOptions(argumentList: readonly string[]): StartOptions {
  const { help, port, host, state, databases } = parse(argumentList);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`--port ${port}: not a port number`);
  if (host === "") throw new UsageError("--host: an address is missing");
  if (state === "") throw new UsageError("--state: a folder is missing");
  if (!/^[1-9]\d{0,2}$/.test(databases) || Number(databases) > MOST_DATABASES) {
    throw new UsageError(`--databases ${databases}: not a number from 1 to ${MOST_DATABASES}`);
  }
  return { help, port: Number(port), host, state: resolve(state), databases: Number(databases) };
}

function parse(
  argumentList: readonly string[],
): Record<"port" | "host" | "state" | "databases", string> & { help: boolean } {
  try {
    return parseArgs({
      args: [...argumentList],
      options: {
        help: { type: "boolean", short: "h", default: false },
        port: { type: "string", default: "9000" },
        host: { type: "string", default: "127.0.0.1" },
        state: { type: "string", default: resolve(PROJECT_ROOT, ".cairn") },
        databases: { type: "string", default: "1" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

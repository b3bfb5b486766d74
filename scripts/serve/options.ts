// Parses the command line of `npm start` and contains the text of --help.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { LOCAL_STORES, type LocalStore } from "../disk/local-stores.ts";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";
import { MOST_DATABASES } from "./databases.ts";

export const USAGE = `Usage: npm start -- [--port PORT] [--host HOST] [--state DIR] [--databases N] [--fsync] [--blobs STORE]

Serves Cairn on this machine with the Workers runtime, and stores all data in one folder.

  --port PORT   port to listen on (default 9000; 0 picks a free one)
  --host HOST   address to listen on (default 127.0.0.1)
  --state DIR   folder of all stored data (default .cairn in the project)
  --databases N store metadata in N databases (default: as many as the folder has; it keeps those)
  --fsync       acknowledge an upload only when its bytes are on the disk, so that they survive a power loss
  --blobs STORE disk (files, the default) or r2 (the runtime's simulator of R2). A state folder that has blobs in one of
                them goes on with it
  --help        this text

CAIRN_FSYNC=true and CAIRN_BLOBS in the environment have the effect of --fsync and --blobs.

Root credentials are read from CAIRN_ROOT_ACCESS_KEY_ID and CAIRN_ROOT_SECRET_ACCESS_KEY in the environment or in
.dev.vars. The first start generates them and writes them to .dev.vars, together with CAIRN_MASTER_KEY, which encrypts the
secrets of users' access keys. Other settings are read from the same two places.`;

export interface StartOptions {
  readonly help: boolean;
  readonly port: number;
  readonly host: string;
  readonly state: string;
  readonly databases: number;
  readonly fsync: boolean;
  /** Undefined: the store of the state folder, else the disk. */
  readonly blobs: LocalStore | undefined;
}

/** An invalid command line; its message contains the reason. */
export class UsageError extends Error {}

/** Reads the arguments after `node scripts/start.ts`; some have a default in the environment. */
export function readOptions(
  argumentList: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): StartOptions {
  const { help, port, host, state, databases, fsync, blobs } = parse(argumentList);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new UsageError(`--port ${port}: not a port number`);
  if (host === "") throw new UsageError("--host: an address is missing");
  if (state === "") throw new UsageError("--state: a folder is missing");
  if (!/^[1-9]\d{0,2}$/.test(databases) || Number(databases) > MOST_DATABASES) {
    throw new UsageError(`--databases ${databases}: not a number from 1 to ${MOST_DATABASES}`);
  }
  return {
    help,
    port: Number(port),
    host,
    state: resolve(state),
    databases: Number(databases),
    fsync: fsync || fsyncOf(environment["CAIRN_FSYNC"]),
    blobs: storeOf("--blobs", blobs) ?? storeOf("CAIRN_BLOBS", environment["CAIRN_BLOBS"]),
  };
}

function fsyncOf(value: string | undefined): boolean {
  if (value === undefined || value === "" || value === "false") return false;
  if (value === "true") return true;
  throw new UsageError(`CAIRN_FSYNC ${value}: neither true nor false`);
}

function storeOf(name: string, value: string | undefined): LocalStore | undefined {
  const store = LOCAL_STORES.find((each) => each === value);
  if (store === undefined && value) throw new UsageError(`${name} ${value}: not one of ${LOCAL_STORES.join(", ")}`);
  return store;
}

interface ParsedArguments {
  readonly help: boolean;
  readonly port: string;
  readonly host: string;
  readonly state: string;
  readonly databases: string;
  readonly fsync: boolean;
  readonly blobs?: string | undefined;
}

function parse(argumentList: readonly string[]): ParsedArguments {
  try {
    return parseArgs({
      args: [...argumentList],
      options: {
        help: { type: "boolean", short: "h", default: false },
        port: { type: "string", default: "9000" },
        host: { type: "string", default: "127.0.0.1" },
        state: { type: "string", default: resolve(PROJECT_ROOT, ".cairn") },
        databases: { type: "string", default: "1" },
        fsync: { type: "boolean", default: false },
        blobs: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

// `npm run backup`: writes the metadata of a state folder to a file or into its blob store.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { backUpToBlobs, backUpToFile } from "./maintenance/backups.ts";
import { readArguments } from "./maintenance/options.ts";

const USAGE = `Usage: npm run backup -- [--state DIR] [--to FILE]

Backs up the metadata of a Cairn on this machine: all that its database says of buckets, objects, users and uploads. The
bytes are in the blob store and are not copied. A Cairn that is being served may be backed up (docs/recovery.md). A
deployed one does it by itself with BACKUP_EVERY_HOURS.

  --state DIR   folder of everything that is stored (default .cairn in the project)
  --to FILE     the file to write (mode 0600); else the backup goes into the blob store of the state
  --help        this text`;

const options = readArguments(USAGE, {}, ["to"]);
const to = options.texts.get("to");
try {
  if (!existsSync(options.state)) throw new Error(`there is no folder ${options.state}`);
  const { pages, rows } = await (to === undefined
    ? backUpToBlobs(options.state)
    : backUpToFile(options.state, resolve(to)));
  console.log(`backup: ${rows} rows on ${pages} pages`);
} catch (error) {
  console.error(`backup: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

// `npm run restore`: brings a backup of the metadata back into the empty database of a state folder.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { restoreState } from "./maintenance/backups.ts";
import { examineState, reportLines } from "./maintenance/examination.ts";
import { readArguments } from "./maintenance/options.ts";

const USAGE = `Usage: npm run restore -- --from FILE | --backup ID [--state DIR] [--replace]

Restores the metadata of a Cairn on this machine from a backup. No server may be using it. A database that is not empty is
left alone unless it is to be replaced. Nothing is deleted afterwards until you run npm run resume-deletions.

  --from FILE   a file that \`npm run backup -- --to FILE\` has written
  --backup ID   a backup in the blob store of the state: its id, or latest
  --state DIR   folder of everything that is stored (default .cairn in the project)
  --replace     put the database that is there aside first
  --help        this text`;

const options = readArguments(USAGE, { replace: { type: "boolean", default: false } }, ["from", "backup"]);
const [file, id] = [options.texts.get("from"), options.texts.get("backup")];
try {
  if (!existsSync(options.state)) throw new Error(`there is no folder ${options.state}`);
  if ((file === undefined) === (id === undefined)) throw new Error(`give either --from or --backup\n\n${USAGE}`);
  const source = file === undefined ? { id: id ?? "" } : { file: resolve(file) };
  const { pages, rows } = await restoreState(options.state, source, options.flags.has("replace"));
  console.log(`restore: ${rows} rows of ${pages} pages`);
  console.log("deletions are on hold until: npm run resume-deletions");
  const examination = await examineState(options.state, false);
  for (const line of reportLines(examination)) console.log(line);
  process.exit(examination.findings.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`restore: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

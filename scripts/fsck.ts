// `npm run fsck`: compares the metadata and the blobs of a state folder in both directions and changes nothing. A
// server may use the folder at the same time.
import { existsSync } from "node:fs";
import { examineState, reportLines } from "./maintenance/examination.ts";
import { readArguments } from "./maintenance/options.ts";

const USAGE = `Usage: npm run fsck -- [--state DIR] [--bytes]

Compares the metadata of a Cairn on this machine with its blobs in both directions and changes nothing. Exits with 0 if
everything is sound, otherwise with 1. Orphans are listed but are no fault: the orphan scan purges them.

  --state DIR   folder of all stored data (default .cairn in the project)
  --bytes       also read every blob and compare it with its checksums
  --help        this text`;

const options = readArguments(USAGE, { bytes: { type: "boolean", default: false } });
if (!existsSync(options.state)) {
  console.error(`fsck: there is no folder ${options.state}`);
  process.exit(2);
}
try {
  const examination = await examineState(options.state, options.flags.has("bytes"));
  for (const line of reportLines(examination)) console.log(line);
  process.exit(examination.findings.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`fsck: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

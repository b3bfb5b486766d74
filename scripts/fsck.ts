// `npm run fsck`: compares the metadata and the blobs of a state folder both ways and changes nothing. A Cairn that is
// being served may be checked too.
import { existsSync } from "node:fs";
import { examineState, reportLines } from "./maintenance/examination.ts";
import { readArguments } from "./maintenance/options.ts";

const USAGE = `Usage: npm run fsck -- [--state DIR] [--bytes]

Compares the metadata of a Cairn on this machine with its blobs, both ways, and changes nothing. Ends with 0 where all is
sound and with 1 where it is not. Blobs that nothing refers to are told of and are no fault: the orphan scan is for them.

  --state DIR   folder of everything that is stored (default .cairn in the project)
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

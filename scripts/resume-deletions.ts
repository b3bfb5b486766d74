// `npm run resume-deletions`: lifts the hold that a rebuild or a restore has put on the deletions of a state folder.
import { existsSync } from "node:fs";
import { readArguments } from "./maintenance/options.ts";
import { resumeDeletions } from "./maintenance/resuming.ts";

const USAGE = `Usage: npm run resume-deletions -- [--state DIR]

Lifts the hold on deletions of a Cairn on this machine, which a rebuilt, restored or exchanged database puts on them
(docs/recovery.md). Nobody may be serving it. The schedule deletes again from its next run on.

  --state DIR   folder of everything that is stored (default .cairn in the project)
  --help        this text`;

const options = readArguments(USAGE, {});
if (!existsSync(options.state)) {
  console.error(`resume-deletions: there is no folder ${options.state}`);
  process.exit(2);
}
try {
  const reason = await resumeDeletions(options.state);
  console.log(reason === undefined ? "deletions were not on hold" : `deletions go on; they were on hold: ${reason}`);
} catch (error) {
  console.error(`resume-deletions: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

// `npm run resume-deletions`: lifts the deletion hold of a state folder after a rebuild or a restore.
import { existsSync } from "node:fs";
import { readArguments } from "./maintenance/options.ts";
import { resumeDeletions } from "./maintenance/resuming.ts";

const USAGE = `Usage: npm run resume-deletions -- [--state DIR]

Lifts the hold on deletions of a Cairn on this machine, which follows a rebuilt, restored or exchanged database
(docs/recovery.md). Stop the server first. Scheduled deletions resume with the next tick.

  --state DIR   folder of all stored data (default .cairn in the project)
  --help        this text`;

const options = readArguments(USAGE, {});
if (!existsSync(options.state)) {
  console.error(`resume-deletions: there is no folder ${options.state}`);
  process.exit(2);
}
try {
  const reason = await resumeDeletions(options.state);
  console.log(reason === undefined ? "deletions were not on hold" : `deletions resume; they were on hold: ${reason}`);
} catch (error) {
  console.error(`resume-deletions: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

// `npm run rebuild`: makes the lost database of a state folder again from what is kept beside its blobs.
import { existsSync } from "node:fs";
import { misspeltSettings } from "../src/config/settings.ts";
import { PROJECT_ROOT, readWranglerToml } from "./project/wrangler-toml.ts";
import { givenSettings } from "./serve/settings.ts";
import { examineState, reportLines } from "./maintenance/examination.ts";
import { readArguments } from "./maintenance/options.ts";
import { rebuildState } from "./maintenance/rebuilding.ts";

const USAGE = `Usage: npm run rebuild -- [--state DIR] [--replace]

Makes the database of a Cairn on this machine again from what is kept beside its blobs (docs/recovery.md tells what cannot
be made again). Nobody may be serving it. A database that is not empty is left alone unless it is to be replaced. Each
line that begins with REPORTED names what could not be known or made again. Nothing is deleted afterwards until you say so.

  --state DIR   folder of everything that is stored (default .cairn in the project)
  --replace     put the database that is there aside first; where it went is printed
  --help        this text`;

const options = readArguments(USAGE, { replace: { type: "boolean", default: false } });
if (!existsSync(options.state)) {
  console.error(`rebuild: there is no folder ${options.state}`);
  process.exit(2);
}
const problems = misspeltSettings(givenSettings(readWranglerToml().vars, process.env, PROJECT_ROOT));
if (problems.length > 0) {
  // Buckets are made again with the account and region that the settings give.
  for (const problem of problems) console.error(`rebuild: ${problem}`);
  process.exit(2);
}
try {
  const { report, findings, setAside } = await rebuildState(options.state, options.flags.has("replace"));
  if (setAside !== undefined) console.log(`the database that was there is now ${setAside}`);
  for (const [name, count] of Object.entries(report)) console.log(`${name}: ${count}`);
  for (const finding of findings) console.log(`REPORTED  ${finding}`);
  console.log("deletions are on hold until: npm run resume-deletions");
  const examination = await examineState(options.state, false);
  for (const line of reportLines(examination)) console.log(line);
  process.exit(examination.findings.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`rebuild: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}

// `npm run rebuild`: rebuilds the lost database of a state folder from the recovery metadata of its blobs.
import { existsSync } from "node:fs";
import { misspeltSettings } from "../src/config/setting-problems.ts";
import { PROJECT_ROOT, readWranglerToml } from "./project/wrangler-toml.ts";
import { givenSettings } from "./serve/settings.ts";
import { examineState, reportLines } from "./maintenance/examination.ts";
import { readArguments } from "./maintenance/options.ts";
import { rebuildState } from "./maintenance/rebuilding.ts";

const USAGE = `Usage: npm run rebuild -- [--state DIR] [--replace]

Rebuilds the database of a Cairn on this machine from the recovery metadata of its blobs (docs/recovery.md lists what is
lost). Stop the server first. A database that is not empty is refused unless --replace is given. Lines that begin with
REPORTED name what could not be known or rebuilt. Afterwards deletions are on hold until you resume them.

  --state DIR   folder of all stored data (default .cairn in the project)
  --replace     move the existing database aside first and print its new path
  --help        this text`;

const options = readArguments(USAGE, { replace: { type: "boolean", default: false } });
if (!existsSync(options.state)) {
  console.error(`rebuild: there is no folder ${options.state}`);
  process.exit(2);
}
const problems = misspeltSettings(givenSettings(readWranglerToml().vars, process.env, PROJECT_ROOT));
if (problems.length > 0) {
  // Rebuilt buckets get the account and region of the settings.
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

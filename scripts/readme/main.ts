// Writes the tables of README.md that are made from the code: operations and settings. `--check` only tells whether
// they are fresh.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { SETTINGS } from "../../src/config/settings.ts";
import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { withFreshTables } from "./tables.ts";

const README = fileURLToPath(new URL("../../README.md", import.meta.url).href);

const written = readFileSync(README, "utf8");
const fresh = withFreshTables(written, OPERATIONS, SETTINGS);
if (written === fresh) process.exit(0);
if (process.argv.includes("--check")) {
  console.error("README.md's tables are stale: run `npm run readme`.");
  process.exit(1);
}
writeFileSync(README, fresh);

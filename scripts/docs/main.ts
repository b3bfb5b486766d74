// Writes the parts of README.md and docs/operations.md that are made from the code: operations, their inputs, and
// settings. `--check` only tells whether they are fresh.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { SETTINGS } from "../../src/config/settings.ts";
import { OPERATIONS } from "../../src/gateway/operation-table.ts";
import { withFreshInputs } from "./inputs.ts";
import { withFreshTables } from "./tables.ts";

/** The generated files by path, and how each is made from what it was. */
const FILES: readonly (readonly [path: string, refresh: (text: string) => string])[] = [
  ["README.md", (text) => withFreshTables(text, OPERATIONS, SETTINGS)],
  ["docs/operations.md", (text) => withFreshInputs(text, OPERATIONS)],
];

for (const [path, refresh] of FILES) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url).href);
  const written = readFileSync(file, "utf8");
  const fresh = refresh(written);
  if (written === fresh) continue;
  if (process.argv.includes("--check")) {
    console.error(`${path} is stale: run \`npm run readme\`.`);
    process.exitCode = 1;
  } else writeFileSync(file, fresh);
}

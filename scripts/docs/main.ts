// `npm run readme`: writes the generated parts of docs/. `--check` only reports stale files.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { PAGES } from "./pages.ts";

for (const [path, refresh] of Object.entries(PAGES)) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url).href);
  const written = existsSync(file) ? readFileSync(file, "utf8") : "";
  const fresh = refresh(written);
  if (written === fresh) continue;
  if (process.argv.includes("--check")) {
    console.error(`${path} is stale: run \`npm run readme\`.`);
    process.exitCode = 1;
  } else writeFileSync(file, fresh);
}

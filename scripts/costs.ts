// `npm run costs`: counts what each operation costs and writes the tables of docs/costs.md. `--check` only reports whether
// they are stale.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { countOperations } from "./costs/count.ts";
import { exampleTables, operationTable, packingText, priceTable } from "./costs/tables.ts";
import { replaceSection } from "./docs/sections.ts";
import { readCommandLine } from "./project/command-line.ts";
import { PROJECT_ROOT } from "./project/wrangler-toml.ts";

const USAGE = `Usage: npm run costs -- [--check]

Sends each operation to a Cairn on this machine, counts what Cloudflare bills for it, and writes the tables of
docs/costs.md.

  --check   write nothing; end with 1 if the tables are stale
  --help    this text`;

const PAGE = join(PROJECT_ROOT, "docs", "costs.md");

const { check } = readCommandLine(USAGE, { check: { type: "boolean", default: false } });
await refresh();

async function refresh(): Promise<void> {
  const counted = await countOperations((title) => process.stderr.write(`${title}\n`));
  const counts = new Map(counted.map((one) => [one.operation.id, one]));
  const written = readFileSync(PAGE, "utf8");
  const sections = {
    operations: operationTable(counts),
    packing: packingText(counts),
    examples: exampleTables(counts),
    prices: priceTable(),
  };
  const fresh = Object.entries(sections).reduce((text, [name, table]) => replaceSection(text, name, table), written);
  if (fresh === written) return;
  if (check) {
    console.error("docs/costs.md is stale: run `npm run costs`.");
    process.exitCode = 1;
  } else writeFileSync(PAGE, fresh);
}

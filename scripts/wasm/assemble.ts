// `npm run wasm`: assembles the WebAssembly text in src/ into the modules that the Worker imports. `--check` only reports
// modules that differ from their text.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";
import { PROJECT_ROOT } from "../project/wrangler-toml.ts";

const FOLDER = join(PROJECT_ROOT, "src", "bytes");

const assembler = await wabt();

for (const name of readdirSync(FOLDER).filter((file) => file.endsWith(".wat"))) {
  const source = join(FOLDER, name);
  const target = source.replace(/wat$/, "wasm");
  const module = assembler.parseWat(name, readFileSync(source, "utf8"), { simd: true, bulk_memory: true });
  const { buffer } = module.toBinary({});
  if (existsSync(target) && readFileSync(target).equals(buffer)) continue;
  if (process.argv.includes("--check")) {
    console.error(`${target} is stale: run \`npm run wasm\`.`);
    process.exitCode = 1;
  } else writeFileSync(target, buffer);
}

// `npm run release:keep`: stores this Worker as the previous release, for the tests that run it with the next schema
// and together with the next Worker. Run it once per release, with the release checked out.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { readMigrations } from "../migrations/folder.ts";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { bundleWorker } from "../serve/bundle.ts";
import { PREVIOUS_RELEASE, PREVIOUS_WORKER } from "./previous.ts";

const toml = readWranglerToml();
const bundle = await bundleWorker(toml.main, { isMinified: true });
const lastMigration = readMigrations(toml.d1.migrationsDir).at(-1)?.name;
mkdirSync(dirname(PREVIOUS_WORKER), { recursive: true });
writeFileSync(PREVIOUS_WORKER, brotliCompressSync(bundle));
writeFileSync(PREVIOUS_RELEASE, `${JSON.stringify({ lastMigration, compatibilityDate: toml.compatibilityDate })}\n`);
console.log(`stored the Worker with the schema of ${lastMigration}`);

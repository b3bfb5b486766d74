import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { startDiskServer } from "../scripts/disk/disk-server.ts";

// DATABASES=3 runs the tests with as many databases, over which the tests' buckets are spread.
const FURTHER_DATABASES = Array.from({ length: Number(process.env["DATABASES"] ?? 1) - 1 }, (_, i) => `META_${i + 1}`);

/** The test files that read or break the first database itself, or that make a second one of it. */
function filesOnFirstDatabase(): string[] {
  const own =
    /env\.DB\b|\bDB:|d1With|withCoordinatorD1|coordinatorsWith|expectExactEntries|REBUILT|rebuilding\.ts|jobContext|-fixture\.ts/;
  return readdirSync("./test", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".test.ts") && !path.startsWith("databases"))
    .filter((path) => own.test(readFileSync(join("./test", path), "utf8")));
}

/** The service of a disk store, in a folder that is deleted at the end. */
async function diskService() {
  const state = mkdtempSync(join(tmpdir(), "cairn-disk-test-"));
  const { binding } = await startDiskServer(state);
  process.on("exit", () => rmSync(state, { recursive: true, force: true }));
  return binding;
}

/** Runs the files by their paths: vitest's own order depends on how long they took before, so on the machine. */
class ByPath extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

// ORDER_SEED=7 shuffles the files, which finds those that rely on what others leave in the storage, and draws other names
// and values.
const ORDER_SEED = process.env["ORDER_SEED"];

// One runtime and one storage for all files: every test makes buckets of its own, and starting a runtime per file costs
// more than the tests.
export default defineConfig(async () => ({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: {
        // One that is lost and made again, and one whose schema is not what the Worker needs.
        d1Databases: ["REBUILT_DB", "SCHEMA_DB", ...FURTHER_DATABASES],
        serviceBindings: { TEST_DISK: await diskService() },
        bindings: {
          FIRST_DATABASE_FILES: FURTHER_DATABASES.length === 0 ? [] : filesOnFirstDatabase(),
          TEST_SEED: ORDER_SEED ?? "20261130",
          TEST_MIGRATIONS: await readD1Migrations("./migrations"),
          CAIRN_ROOT_ACCESS_KEY_ID: "CAIRNTESTACCESSKEY00",
          CAIRN_ROOT_SECRET_ACCESS_KEY: "test/secret+access/key",
          CAIRN_MASTER_KEY: Buffer.from("the master key of the tests only").toString("base64"),
          SERVER_TIMING: "true",
          LOG_REQUESTS: "false",
          // Its background work lasts longer than a test.
          USAGE: "false",
          DOMAINS: "s3.example.com",
          UPSTREAMS: JSON.stringify({ declared: { endpoint: "https://upstream.example.com", buckets: ["*"] } }),
          MODEL_RUNS: process.env["MODEL_RUNS"] ?? "",
          MODEL_SEED: process.env["MODEL_SEED"] ?? "",
          INLINE_MAX_BYTES: process.env["INLINE_MAX_BYTES"] ?? "",
          REBUILD_DRILLS: process.env["REBUILD_DRILLS"] ?? "",
          REBUILD_SEED: process.env["REBUILD_SEED"] ?? "",
        },
      },
    }),
  ],
  test: {
    include: ["test/**/*.test.ts"],
    exclude: FURTHER_DATABASES.length === 0 ? ["test/databases/**"] : [],
    setupFiles: ["./test/support/repeatable.ts", "./test/support/apply-migrations.ts"],
    isolate: false,
    sequence:
      ORDER_SEED === undefined
        ? { sequencer: ByPath }
        : { shuffle: { files: true, tests: false }, seed: Number(ORDER_SEED) },
    maxWorkers: 1,
    // A pass over the store also meets what the files before it have stored, and other work may slow the machine down.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
}));

// `npm run test:model -- --runs N --seed S`: the model test with more sequences than `npm test` runs, or with the seed
// of a failure.
import { spawn } from "node:child_process";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

const USAGE = "Usage: npm run test:model -- [--runs N] [--seed S]";
const { runs, seed } = readCommandLine(USAGE, {
  runs: { type: "string", default: "1000" },
  seed: { type: "string", default: "" },
});
if (!/^[1-9]\d*$/.test(runs) || !/^(-?\d+)?$/.test(seed)) {
  console.error(USAGE);
  process.exit(2);
}

const vitest = spawn("npx", ["vitest", "run", "--config", "test/vitest.config.ts", "test/model"], {
  cwd: PROJECT_ROOT,
  stdio: "inherit",
  env: { ...process.env, MODEL_RUNS: runs, MODEL_SEED: seed },
});
vitest.on("exit", (code) => {
  process.exitCode = code ?? 1;
});

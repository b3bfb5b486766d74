// The command lines of the scripts: --help prints a usage, and an unknown option prints it too, instead of a stack. Run by
// `npm run test:deploy`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

const SCRIPTS = [
  "deploy",
  "doctor",
  "rotate",
  "backup",
  "restore",
  "fsck",
  "rebuild",
  "resume-deletions",
  "tenancy",
  "import",
  "costs",
  "bench",
  "bench:edge",
  "bench:front-door",
  "bench:million",
  "bench:soak",
  "test:crash",
  "test:model",
];

// package.json as this project writes it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const { scripts } = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function run(name: string, option: string): Promise<Outcome> {
  const file = /[\w./-]+\.ts$/.exec(scripts[name] ?? "")?.[0];
  assert.ok(file !== undefined, `${name} runs one file`);
  return new Promise((done) => {
    execFile(process.execPath, [file, option], { cwd: PROJECT_ROOT, timeout: 120_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

void describe("the command line of", () => {
  for (const name of SCRIPTS) {
    void it(`npm run ${name} explains itself, also where an option is unknown`, async () => {
      const help = await run(name, "--help");
      assert.deepEqual([help.code, help.output.includes(`Usage: npm run ${name}`)], [0, true], help.output);
      const unknown = await run(name, "--no-such-option");
      assert.deepEqual([unknown.code, unknown.output.includes(`Usage: npm run ${name}`)], [2, true], unknown.output);
      assert.doesNotMatch(unknown.output, /\n\s+at /);
    });
  }
});

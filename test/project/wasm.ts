// The committed WebAssembly modules are what their texts assemble to; run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

const ASSEMBLE = join(PROJECT_ROOT, "scripts", "wasm", "assemble.ts");
const MODULES = [
  { name: "crc64nvme", constant: "0x9a6c9329ac4bc9b5", changed: "0x9a6c9329ac4bc9b7" },
  { name: "xxhash", constant: "0x9e3779b185ebca87", changed: "0x9e3779b185ebca89" },
];

function assemble(root: string, ...options: string[]): number | null {
  const env = { ...process.env, CAIRN_PROJECT_ROOT: root };
  return spawnSync(process.execPath, [ASSEMBLE, ...options], { env }).status;
}

void test("the committed modules are what their texts assemble to", () => {
  assert.equal(assemble(PROJECT_ROOT, "--check"), 0);
});

for (const { name, constant, changed } of MODULES) {
  void test(`a changed ${name}.wat makes the check fail until the module is assembled again`, () => {
    const root = mkdtempSync(join(tmpdir(), "cairn-wasm-"));
    const text = join("src", "bytes", `${name}.wat`);
    const module = join("src", "bytes", `${name}.wasm`);
    try {
      for (const file of [text, module]) cpSync(join(PROJECT_ROOT, file), join(root, file), { recursive: true });
      writeFileSync(join(root, text), readFileSync(join(root, text), "utf8").replace(constant, changed));
      assert.equal(assemble(root, "--check"), 1);
      assert.equal(assemble(root), 0);
      assert.equal(assemble(root, "--check"), 0);
      assert.notDeepEqual(readFileSync(join(root, module)), readFileSync(join(PROJECT_ROOT, module)));
    } finally {
      rmSync(root, { recursive: true });
    }
  });
}

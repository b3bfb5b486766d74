// The committed WebAssembly modules are what their texts assemble to; run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

const ASSEMBLE = join(PROJECT_ROOT, "scripts", "wasm", "assemble.ts");
const TEXT = join("src", "bytes", "crc64nvme.wat");
const MODULE = join("src", "bytes", "crc64nvme.wasm");

function assemble(root: string, ...options: string[]): number | null {
  const env = { ...process.env, CAIRN_PROJECT_ROOT: root };
  return spawnSync(process.execPath, [ASSEMBLE, ...options], { env }).status;
}

void test("the committed module is what its text assembles to", () => {
  assert.equal(assemble(PROJECT_ROOT, "--check"), 0);
});

void test("a changed text makes the check fail until the module is assembled again", () => {
  const root = mkdtempSync(join(tmpdir(), "cairn-wasm-"));
  try {
    for (const file of [TEXT, MODULE]) cpSync(join(PROJECT_ROOT, file), join(root, file), { recursive: true });
    const text = readFileSync(join(root, TEXT), "utf8");
    writeFileSync(join(root, TEXT), text.replace("0x9a6c9329ac4bc9b5", "0x9a6c9329ac4bc9b7"));
    assert.equal(assemble(root, "--check"), 1);
    assert.equal(assemble(root), 0);
    assert.equal(assemble(root, "--check"), 0);
    assert.notDeepEqual(readFileSync(join(root, MODULE)), readFileSync(join(PROJECT_ROOT, MODULE)));
  } finally {
    rmSync(root, { recursive: true });
  }
});

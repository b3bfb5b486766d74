// Tests of the credentials and the master key that are kept in `.dev.vars`, run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rootCredentials } from "./credentials.ts";
import { MASTER_KEY, makeMasterKey, masterKey } from "./master-key.ts";

void test("what was made once is found again, also beside variables that are given empty", () => {
  inFolder((root) => {
    const made = { key: masterKey({}, root), credentials: rootCredentials({}, root) };
    const empty = { [MASTER_KEY]: " ", CAIRN_ROOT_ACCESS_KEY_ID: "", CAIRN_ROOT_SECRET_ACCESS_KEY: "" };
    for (const environment of [{}, empty, { ...empty, [MASTER_KEY]: "" }]) {
      assert.equal(masterKey(environment, root), made.key);
      assert.deepEqual(rootCredentials(environment, root), made.credentials);
    }
  });
});

void test("a key of the environment goes before the one that is kept, and leaves it there", () => {
  inFolder((root) => {
    masterKey({}, root);
    const before = readFileSync(join(root, ".dev.vars"), "utf8");
    const given = makeMasterKey();
    assert.equal(masterKey({ [MASTER_KEY]: given }, root), given);
    assert.equal(readFileSync(join(root, ".dev.vars"), "utf8"), before);
  });
});

void test("a key that is none is refused and not replaced", () => {
  inFolder((root) => {
    writeFileSync(join(root, ".dev.vars"), `${MASTER_KEY}=short\n`);
    assert.throws(() => masterKey({}, root), /CAIRN_MASTER_KEY is not the base64 of 32 bytes/);
    assert.equal(readFileSync(join(root, ".dev.vars"), "utf8"), `${MASTER_KEY}=short\n`);
  });
});

function inFolder(run: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "cairn-project-"));
  try {
    run(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

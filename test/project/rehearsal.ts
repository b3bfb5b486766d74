// Tests of the settings, credentials and master key in the environment or in `.dev.vars`, run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { readSettings, SETTINGS } from "../../src/config/settings.ts";
import { misspeltSettings } from "../../src/config/setting-problems.ts";
import { givenSettings } from "../../scripts/serve/settings.ts";
import { PROJECT_ROOT, readWranglerToml } from "../../scripts/project/wrangler-toml.ts";
import { rootCredentials } from "../../scripts/project/credentials.ts";
import { MASTER_KEY, makeMasterKey, masterKey } from "../../scripts/project/master-key.ts";

void test("a created secret is found again, also next to empty variables", () => {
  inFolder((root) => {
    const made = { key: masterKey({}, root), credentials: rootCredentials({}, root) };
    const empty = { [MASTER_KEY]: " ", CAIRN_ROOT_ACCESS_KEY_ID: "", CAIRN_ROOT_SECRET_ACCESS_KEY: "" };
    for (const environment of [{}, empty, { ...empty, [MASTER_KEY]: "" }]) {
      assert.equal(masterKey(environment, root), made.key);
      assert.deepEqual(rootCredentials(environment, root), made.credentials);
    }
  });
});

void test("a key in the environment takes precedence over .dev.vars and does not change the file", () => {
  inFolder((root) => {
    masterKey({}, root);
    const before = readFileSync(join(root, ".dev.vars"), "utf8");
    const given = makeMasterKey();
    assert.equal(masterKey({ [MASTER_KEY]: given }, root), given);
    assert.equal(readFileSync(join(root, ".dev.vars"), "utf8"), before);
  });
});

void test("an invalid key is refused and not replaced", () => {
  inFolder((root) => {
    writeFileSync(join(root, ".dev.vars"), `${MASTER_KEY}=short\n`);
    assert.throws(() => masterKey({}, root), /CAIRN_MASTER_KEY is not the base64 of 32 bytes/);
    assert.equal(readFileSync(join(root, ".dev.vars"), "utf8"), `${MASTER_KEY}=short\n`);
  });
});

void test("a misspelt setting reaches the Worker, which then deletes nothing; other variables do not", () => {
  inFolder((root) => {
    writeFileSync(join(root, ".dev.vars"), "RECOVERY_WINDOW_HOUR=168\nUNKNOWN=1\n");
    const given = givenSettings({}, { GARBAGE_COLECTION: "false", HOME: "/root", DOMAIN: "x" }, root);
    assert.equal(given["GARBAGE_COLECTION"], "false");
    assert.equal(given["RECOVERY_WINDOW_HOUR"], "168");
    for (const name of ["UNKNOWN", "HOME", "DOMAIN"]) assert.ok(!(name in given), name);
    assert.equal(readSettings(given).isDeletionStopped, true);
  });
});

void test("bodies of a local server are in its blob store, unless a setting names a length", () => {
  inFolder((root) => {
    assert.equal(givenSettings({}, {}, root)["INLINE_MAX_BYTES"], "0");
    assert.equal(givenSettings({ INLINE_MAX_BYTES: "16384" }, {}, root)["INLINE_MAX_BYTES"], "16384");
    assert.equal(givenSettings({}, { INLINE_MAX_BYTES: "100" }, root)["INLINE_MAX_BYTES"], "100");
  });
});

void test("a list or a table in [vars] is not read as text", () => {
  inFolder((root) => {
    writeFileSync(
      join(root, "wrangler.toml"),
      `name = "x"
main = "x"
compatibility_date = "2026-10-20"
[vars]
GARBAGE_COLLECTION = ["false"]
RECOVERY_WINDOW_HOURS = 168
LIFECYCLE = false
[[d1_databases]]
binding = "DB"
database_name = "x"
[[r2_buckets]]
binding = "BLOBS"
bucket_name = "x"
`,
    );
    const problems = misspeltSettings(readWranglerToml(root).vars);
    assert.equal(problems.length, 1);
    assert.match(problems.join(), /^GARBAGE_COLLECTION is /);
  });
});

void test("the secrets and bindings that a build service asks for exist, each with a description", () => {
  const example = Object.keys(parseEnv(readFileSync(join(PROJECT_ROOT, ".dev.vars.example"), "utf8")));
  const secrets = Object.keys(SETTINGS).filter((name) => name.startsWith("CAIRN_") && !name.includes("PREVIOUS"));
  assert.deepEqual(example.sort(), secrets.sort());
  const manifest: unknown = JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8"));
  const { cloudflare } = Object(manifest);
  const toml = readWranglerToml();
  const bindings = [toml.d1, toml.r2, ...toml.durableObjects].map(({ binding }) => binding);
  const asked = [...secrets, ...bindings, ...Object.keys(toml.vars)];
  assert.deepEqual(Object.keys(Object(cloudflare.bindings)).sort(), asked.sort());
  for (const { description } of Object.values<{ description: string }>(cloudflare.bindings))
    assert.match(description, /\.$/);
});

function inFolder(run: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "cairn-project-"));
  try {
    run(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

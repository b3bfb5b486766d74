// Rehearses `npm run deploy` against a stand-in for wrangler: `node --test scripts/deploy/rehearsal.ts`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { StandInAccount } from "./stand-in-wrangler.ts";

const NAMES = ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY"] as const;
const MASTER_KEY = "CAIRN_MASTER_KEY";
const EMPTY: StandInAccount = { databases: [], buckets: [], commands: [] };
const folder = mkdtempSync(join(tmpdir(), "cairn-rehearsal-"));
after(() => rmSync(folder, { recursive: true }));

function deploy(
  before: StandInAccount,
  fails?: string,
): { code: number | null; text: string; account: StandInAccount } {
  const file = join(folder, "account.json");
  writeFileSync(file, JSON.stringify(before));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "..", "deploy.ts")], {
    encoding: "utf8",
    env: {
      ...process.env,
      // What is left behind in the folder for temporary files would be seen.
      TMPDIR: folder,
      CAIRN_WRANGLER: join(import.meta.dirname, "stand-in-wrangler.ts"),
      CAIRN_STAND_IN_ACCOUNT: file,
      ...(fails === undefined ? {} : { CAIRN_STAND_IN_FAILS: fails }),
    },
  });
  const account: StandInAccount = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(readdirSync(folder), ["account.json"], "nothing is left behind");
  return { code: status, text: stdout + stderr, account };
}

void describe("npm run deploy", () => {
  void it("makes everything on the first deployment, and shows the credentials that it sets", () => {
    const { code, text, account } = deploy(EMPTY);
    assert.equal(code, 0, text);
    assert.deepEqual([account.databases, account.buckets], [["cairn"], ["cairn-blobs"]]);
    assert.equal(account.secretsFileMode, 0o600);
    for (const name of [...NAMES, MASTER_KEY]) assert.ok(text.includes(account.secrets?.[name] ?? "missing"), name);
    assert.match(text, /endpoint +https:\/\/cairn\.example\.workers\.dev/);
  });

  void it("applies the migrations before the Worker is deployed, and puts no secret on a command line", () => {
    const { account } = deploy(EMPTY);
    const at = (start: string): number => account.commands.findIndex((command) => command.startsWith(start));
    assert.ok(at("d1 migrations apply") > at("d1 create") && at("d1 migrations apply") < at("deploy"));
    const secret = account.secrets?.[NAMES[1]] ?? "";
    assert.ok(secret.length === 40 && !account.commands.join("\n").includes(secret));
    const masterKey = account.secrets?.[MASTER_KEY] ?? "";
    assert.equal(Buffer.from(masterKey, "base64").length, 32);
    assert.ok(!account.commands.join("\n").includes(masterKey));
  });

  void it("changes nothing of an account that has everything, and deploys", () => {
    const { account: first } = deploy(EMPTY);
    const { code, account } = deploy({ ...first, commands: [] });
    assert.equal(code, 0);
    assert.deepEqual({ ...account, commands: [] }, { ...first, commands: [] });
    assert.equal(account.commands.at(-1), "deploy");
  });

  void it("gives a Worker of before the master key alone, and leaves its credentials as they are", () => {
    const kept = { [NAMES[0]]: "kept", [NAMES[1]]: "kept too" };
    const { code, text, account } = deploy({ ...EMPTY, secrets: kept });
    assert.equal(code, 0, text);
    const { [MASTER_KEY]: masterKey = "missing", ...others } = account.secrets ?? {};
    assert.deepEqual(others, kept);
    assert.ok(text.includes(masterKey) && !text.includes("Root credentials"));
    const { account: after } = deploy({ ...account, commands: [] });
    assert.equal(after.secrets?.[MASTER_KEY], masterKey);
  });

  void it("never takes an answer that it cannot read for a Worker without credentials", () => {
    const { code, account } = deploy({ ...EMPTY, secrets: {} }, "secret list");
    assert.equal(code, 1);
    assert.ok(account.commands.every((command) => !command.startsWith("deploy")));
  });

  void it("stops at a Worker that has half of its credentials", () => {
    const { code, text, account } = deploy({ ...EMPTY, secrets: { [NAMES[0]]: "kept" } });
    assert.equal(code, 1);
    assert.match(text, new RegExp(`wrangler secret put ${NAMES[1]}`));
    assert.deepEqual(account.secrets, { [NAMES[0]]: "kept" });
  });

  void it("does not deploy when the migrations fail", () => {
    const { code, account } = deploy(EMPTY, "d1 migrations");
    assert.equal(code, 1);
    assert.equal(account.secrets, undefined);
  });
});

// Rehearses what happens to data: the upgrade of a database with the previous release's schema, and the migrations of an
// account whose D1 does not take them through its API. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readMigrations } from "../../../scripts/migrations/folder.ts";
import { databaseOf, readSchema } from "../../../scripts/migrations/schema.ts";
import { readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { readPreviousRelease } from "../../../scripts/release/previous.ts";
import { type Account, deployedVersion, newAccount, newDatabase, secretsOf } from "../stand-in/account.ts";
import { type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { type Edge, startEdge } from "../stand-in/edge.ts";
import { Project, deploy, readCredentials } from "../stand-in/harness.ts";

const migrations = readMigrations(readWranglerToml().d1.migrationsDir);
const complete = readSchema(databaseOf(migrations.map(({ sql }) => sql)));
const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

function newProject(): Project {
  const project = new Project();
  cleanups.push(() => project.remove());
  return project;
}

async function standInOf(account: Account, options: { takesTriggers?: boolean } = {}): Promise<StandIn> {
  const standIn = await startStandIn({ accounts: [account], ...options });
  cleanups.push(() => standIn.stop());
  return standIn;
}

const MIGRATIONS_TABLE = `CREATE TABLE d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

void describe("a deployment over the previous release", () => {
  void it("migrates its database and changes none of its data", async () => {
    const account = newAccount();
    const database = newDatabase("cairn");
    account.databases.push(database);
    database.sqlite.exec(MIGRATIONS_TABLE);
    const known = migrations.findIndex(({ name }) => name === readPreviousRelease().lastMigration) + 1;
    for (const { name, sql } of migrations.slice(0, known)) {
      database.sqlite.exec(sql);
      database.sqlite.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(name);
    }
    const bucket = "INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES ('b', 'i', 'o', 'auto', 1)";
    const object = `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class)
      VALUES ('i', ?, 'v', 1, 0, 'e', 1, 'o', 'STANDARD')`;
    database.sqlite.exec(bucket);
    for (let index = 0; index < 100; index += 1) database.sqlite.prepare(object).run(`key-${index}`);
    const data = (): unknown[] => [
      ...database.sqlite.prepare("SELECT name, id, owner_id FROM buckets").all(),
      ...database.sqlite.prepare("SELECT bucket_id, key, version_id, etag FROM objects ORDER BY key").all(),
    ];
    const before = data();
    const { code, output } = await deploy(await standInOf(account), newProject());
    assert.equal(code, 0, output);
    assert.deepEqual(readSchema(database.sqlite), complete);
    assert.deepEqual(data(), before);
    assert.match(output, new RegExp(`done +${migrations.length - known} of the migrations`));
  });

  void it("warns that the replaced version cannot read small bodies, unless it has their table or none are stored", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    const beforeSmallBlobs = `DROP TABLE small_blobs; DROP TABLE packs;
      DELETE FROM d1_migrations WHERE name = '0034_small_blobs.sql'`;
    const outputOf = async (isEarlier: boolean): Promise<string> => {
      if (isEarlier) account.databases[0]?.sqlite.exec(beforeSmallBlobs);
      const { code, output } = await deploy(standIn, project);
      assert.equal(code, 0, output);
      return output;
    };
    const warning = /go back +npx wrangler rollback \S+\n +That version cannot read the small bodies/;
    const withInline = (bytes: number) => (toml: string) =>
      toml.replace("[vars]", `[vars]\nINLINE_MAX_BYTES = "${bytes}"`);
    project.edit(withInline(16_384));
    assert.doesNotMatch(await outputOf(false), warning);
    assert.match(await outputOf(true), warning);
    assert.doesNotMatch(await outputOf(false), warning);
    project.edit((toml) => toml.replace('INLINE_MAX_BYTES = "16384"', 'INLINE_MAX_BYTES = "0"'));
    assert.doesNotMatch(await outputOf(true), warning);
  });

  void it("accepts a database with tables of a later release", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    assert.equal((await deploy(standIn, project)).code, 0);
    account.databases[0]?.sqlite.exec("ALTER TABLE objects ADD COLUMN later TEXT; CREATE TABLE later (a TEXT);");
    account.databases[0]?.sqlite.exec("INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')");
    const { code, output } = await deploy(standIn, project);
    assert.equal(code, 0, output);
  });

  void it("names a missing table, view or trigger, and one whose definition differs", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    assert.equal((await deploy(standIn, project)).code, 0);
    const sqlite = account.databases[0]?.sqlite;
    sqlite?.exec("DROP TRIGGER blob_guard_holds; DROP TABLE rename_tokens; DROP VIEW upload_guard");
    sqlite?.exec("CREATE VIEW upload_guard AS SELECT NULL AS bucket_id");
    const { code, output } = await deploy(standIn, project);
    assert.equal(code, 1);
    const line = output.split("\n").find((line) => line.startsWith("deploy: ")) ?? "";
    for (const fault of [
      "trigger blob_guard_holds is missing",
      "table rename_tokens is missing",
      "view upload_guard is not what the migrations make",
      "trigger upload_guard_holds is missing",
    ]) {
      assert.ok(line.includes(fault), `${fault}: ${line}`);
    }
  });
});

void describe("a deployment to an account whose D1 refuses triggers through its API", () => {
  void it("has the Worker apply the migrations through its own binding, in the same table of migrations", async () => {
    const account = newAccount();
    const state = mkdtempSync(join(tmpdir(), "cairn-edge-"));
    cleanups.push(() => rmSync(state, { recursive: true }));
    const edge: Edge = await startEdge(() => account, "cairn", state);
    cleanups.push(() => edge.stop());
    account.databases.push(newDatabase("cairn", undefined, edge.databaseFile));
    const standIn = await standInOf(account, { takesTriggers: false });
    const project = newProject();
    const first = await deploy(standIn, project, { environment: { CAIRN_DEPLOY_EDGE: edge.url } });
    assert.equal(first.code, 0, first.output);
    assert.match(first.output, /the new Worker applies them itself/);
    const sqlite = account.databases[0]?.sqlite;
    assert.ok(sqlite !== undefined);
    assert.deepEqual(readSchema(sqlite), complete);
    const storedState = sqlite.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    assert.deepEqual(
      storedState.map((row) => row["name"]),
      migrations.map(({ name }) => name),
    );
    assert.deepEqual(secretsOf(account.workers.get("cairn")), readCredentials(first.credentialsFile));
    // Wrangler agrees: there is nothing left for it to apply.
    const calls = standIn.calls.length;
    const second = await deploy(standIn, project, { environment: { CAIRN_DEPLOY_EDGE: edge.url } });
    assert.equal(second.code, 0, second.output);
    assert.doesNotMatch(second.output, /of the migrations/);
    assert.ok(standIn.calls.length > calls);
    assert.ok(deployedVersion(account.workers.get("cairn")) !== undefined);
  });
});

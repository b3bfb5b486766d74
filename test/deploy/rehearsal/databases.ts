// Rehearses deployments with several D1 databases: all are made, migrated and bound, one is added later, and none that may
// hold buckets is dropped. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { readMigrations } from "../../../scripts/migrations/folder.ts";
import { databaseOf, readSchema } from "../../../scripts/migrations/schema.ts";
import { readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { newAccount } from "../stand-in/account.ts";
import { type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { deploy, Project } from "../stand-in/harness.ts";

const schema = readSchema(databaseOf(readMigrations(readWranglerToml().d1.migrationsDir).map(({ sql }) => sql)));
const projects: Project[] = [];
const standIns: StandIn[] = [];
after(async () => {
  for (const project of projects) project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

/** The declarations of the further databases up to a number. */
function further(count: number): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `\n[[d1_databases]]\nbinding = "META_${index + 1}"\ndatabase_name = "cairn-meta-${index + 1}"\nmigrations_dir = "migrations"\n`,
  ).join("");
}

void describe("npm run deploy with several databases", () => {
  void it("makes, migrates and binds each; adds another later; and refuses to drop one", async () => {
    const account = newAccount();
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    const project = new Project();
    projects.push(project);
    const single = project.toml;
    for (const count of [1, 2]) {
      project.edit(() => `${single}${further(count)}`);
      const { code, output } = await deploy(standIn, project);
      assert.equal(code, 0, output);
      const names = ["cairn", ...Array.from({ length: count }, (_, index) => `cairn-meta-${index + 1}`)];
      assert.deepEqual(
        account.databases.map(({ name }) => name),
        names,
      );
      for (const { sqlite } of account.databases) assert.deepEqual(readSchema(sqlite), schema);
    }
    project.edit(() => `${single}${further(1)}`);
    const { code, output } = await deploy(standIn, project);
    assert.equal(code, 1, output);
    assert.match(output, /may have buckets in the database bound as META_2/);
  });

  void it("says which binding a second database needs", async () => {
    const standIn = await startStandIn({ accounts: [newAccount()] });
    standIns.push(standIn);
    const project = new Project();
    projects.push(project);
    project.edit((toml) => `${toml}${further(1).replace("META_1", "OTHER")}`);
    const { code, output } = await deploy(standIn, project);
    assert.equal(code, 1, output);
    assert.match(output, /is META_1, not OTHER/);
  });
});

// Rehearses deployments that stop half-way and are run again: killed at each call that writes, before and after it took
// effect, and answered with an error there. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, describe, it } from "node:test";
import { readMigrations } from "../../../scripts/migrations/folder.ts";
import { databaseOf, readSchema } from "../../../scripts/migrations/schema.ts";
import { readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { type Account, newAccount, secretsOf } from "../stand-in/account.ts";
import { ApiError } from "../stand-in/answers.ts";
import { type ApiCall, type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { Project, deploy, killGroup, readCredentials } from "../stand-in/harness.ts";

const migrations = readMigrations(readWranglerToml().d1.migrationsDir);
const projects: Project[] = [];
const standIns: StandIn[] = [];
after(async () => {
  for (const project of projects) project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

/** The calls that write, as far as they differ: most migrations are alike. */
function isOfInterest({ method, path }: ApiCall, nth: number): boolean {
  if (method === "GET" || path.endsWith("/script-settings")) return false;
  return !path.endsWith("/query") || nth % 12 === 0;
}

/** Kills successive deployments, each at a later call than the previous one, until one succeeds. */
async function killOneByOne(account: Account, when: "before" | "after"): Promise<{ kills: number; file: string }> {
  const project = new Project();
  projects.push(project);
  const standIn = await startStandIn({ accounts: [account] });
  standIns.push(standIn);
  const seen = new Set<string>();
  for (let kills = 0; ; kills += 1) {
    let running: ChildProcess | undefined;
    const counts = new Map<string, number>();
    let isKilled = false;
    standIn.options = {
      accounts: [account],
      onCall: (call, at) => {
        if (at !== when || isKilled) return;
        const id = `${call.method} ${call.path.replace(/[0-9a-f-]{36}/, "ID")}`;
        const nth = (counts.get(id) ?? 0) + 1;
        counts.set(id, nth);
        if (!isOfInterest(call, nth) || seen.has(`${id} ${nth}`)) return;
        seen.add(`${id} ${nth}`);
        isKilled = true;
        if (running !== undefined) killGroup(running);
        if (when === "before") throw new ApiError(500, 10_013, "the caller is gone");
      },
    };
    const { code, output, credentialsFile } = await deploy(standIn, project, { onStart: (child) => (running = child) });
    if (!isKilled) {
      assert.equal(code, 0, output);
      return { kills, file: credentialsFile };
    }
    assert.equal(code, null, `it was killed: ${output}`);
    assert.ok(kills < 30, "it gets further each time");
  }
}

for (const when of ["before", "after"] as const) {
  void describe(`a deployment that is killed ${when} a call takes effect`, () => {
    void it("is completed by later ones, and none of its secrets is lost", async () => {
      const account = newAccount();
      const { kills, file } = await killOneByOne(account, when);
      assert.ok(kills >= 6, `${kills} kills`);
      const [database, ...others] = account.databases;
      assert.ok(database !== undefined && others.length === 0);
      assert.deepEqual(readSchema(database.sqlite), readSchema(databaseOf(migrations.map(({ sql }) => sql))));
      const worker = account.workers.get("cairn");
      assert.deepEqual(secretsOf(worker), readCredentials(file), "the secrets that are handed over are those in use");
      assert.equal(worker?.isOnWorkersDev, true);
      assert.ok((worker?.crons.length ?? 0) > 0);
    });
  });
}

void describe("a deployment that the API fails", () => {
  const failing = [
    ["POST", /\/d1\/database$/],
    ["POST", /\/r2\/buckets$/],
    ["PUT", /\/scripts\/cairn$/],
    ["PUT", /\/schedules$/],
  ] as const;
  for (const [method, path] of failing) {
    void it(`at ${method} ${path.source} is reported in one sentence, and a second run succeeds`, async () => {
      const account = newAccount();
      const project = new Project();
      projects.push(project);
      const standIn = await startStandIn({
        accounts: [account],
        onCall: (call, when) => {
          // Checks request the same paths without a body, and must succeed.
          if (when === "after" && call.method === method && path.test(call.path)) {
            throw new ApiError(400, 10_013, "An unknown error has occurred.");
          }
        },
      });
      standIns.push(standIn);
      const failed = await deploy(standIn, project);
      assert.equal(failed.code, 1, failed.output);
      assert.match(failed.output, /^deploy: .*An unknown error has occurred/m);
      standIn.options = { accounts: [account] };
      const { code, output, credentialsFile } = await deploy(standIn, project);
      assert.equal(code, 0, output);
      assert.deepEqual(secretsOf(account.workers.get("cairn")), readCredentials(credentialsFile));
    });
  }
});

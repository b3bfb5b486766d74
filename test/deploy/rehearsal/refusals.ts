// Rehearses deployments that fail: each problem is found before anything is created, and one sentence says what to do.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { type Account, type Permission, newAccount, newDatabase } from "../stand-in/account.ts";
import { ApiError } from "../stand-in/answers.ts";
import { type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { type Outcome, type RunOptions, Project, deploy, runScript } from "../stand-in/harness.ts";

const project = new Project();
const standIns: StandIn[] = [];
after(async () => {
  project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

interface Scene extends RunOptions {
  readonly accounts?: readonly Account[];
  readonly lacks?: ReadonlyMap<Permission, "Read" | "Edit">;
}

async function attempt(account: Account, scene: Scene = {}): Promise<Outcome> {
  const { accounts = [account], lacks = new Map() } = scene;
  const standIn = await startStandIn({ accounts, lacks });
  standIns.push(standIn);
  return deploy(standIn, project, scene);
}

/** Asserts that the deployment failed with one line and created nothing. */
function assertRefused({ code, output }: Outcome, says: RegExp, account: Account, databases = 0): void {
  assert.equal(code, 1, output);
  const lines = output.split("\n").filter((line) => line.startsWith("deploy: "));
  assert.equal(lines.length, 1, output);
  assert.match(lines[0] ?? "", says);
  assert.doesNotMatch(output, /\n\s+at /, "no stack");
  assert.deepEqual([account.databases.length, account.buckets.size], [databases, 0], "nothing was made");
  assert.ok([...account.workers.values()].every(({ versions }) => versions.length < 2));
  assert.deepEqual(project.leftovers(), []);
}

function otherWorker(account: Account): void {
  const bindings = [{ name: "ASSETS", type: "plain_text", text: "a blog" }];
  const id = "11111111-1111-4111-8111-111111111111";
  account.workers.set("cairn", {
    name: "cairn",
    tag: "t",
    migrationTag: undefined,
    durableObjectClasses: new Set(),
    versions: [
      {
        id,
        number: 1,
        createdOn: "2026-11-01T00:00:00Z",
        bindings,
        modules: new Map(),
        mainModule: "index.js",
        compatibilityDate: "2026-01-01",
        assets: undefined,
        limits: undefined,
        placement: undefined,
      },
    ],
    deployments: [
      {
        id,
        createdOn: "2026-11-01T00:00:00Z",
        versions: [{ version_id: id, percentage: 100 }],
        codeUpdateStrategy: undefined,
        message: undefined,
      },
    ],
    crons: [],
    isOnWorkersDev: true,
    hasPreviews: false,
    observability: undefined,
    routes: [],
  });
}

void describe("npm run deploy stops before it creates anything", () => {
  void it("where wrangler is not logged in", async () => {
    const account = newAccount();
    const outcome = await attempt(account, { environment: { CLOUDFLARE_API_TOKEN: "" } });
    assertRefused(outcome, /not logged in: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN/, account);
  });

  void it("where the token is not valid", async () => {
    const account = newAccount();
    const outcome = await attempt(account, { environment: { CLOUDFLARE_API_TOKEN: "revoked" } });
    assertRefused(outcome, /does not accept the login \("Invalid access token"\)/, account);
  });

  void it("where R2 is not enabled", async () => {
    const account = newAccount({ isR2Enabled: false });
    assertRefused(
      await attempt(account),
      /R2 is not enabled .*: enable it at https:\/\/dash\.cloudflare\.com\//,
      account,
    );
  });

  void it("where there is no workers.dev subdomain", async () => {
    const account = newAccount({ subdomain: undefined });
    assertRefused(await attempt(account), /has no workers\.dev subdomain yet: choose one at https:/, account);
  });

  void it("where the API has another code for a subdomain that is missing", async () => {
    const account = newAccount();
    const standIn = await startStandIn({
      accounts: [account],
      onCall({ path }) {
        if (path.endsWith("/workers/subdomain")) throw new ApiError(404, 10_063, "You need a workers.dev subdomain");
      },
    });
    standIns.push(standIn);
    assertRefused(await deploy(standIn, project), /has no workers\.dev subdomain yet: choose one at https:/, account);
  });

  void it("where there are several accounts and none is named", async () => {
    const account = newAccount({ name: "One" });
    const accounts = [account, newAccount({ name: "Other" })];
    assertRefused(
      await attempt(account, { accounts }),
      /several accounts: One \(.*\), Other \(.*\)\. Set account_id/,
      account,
    );
  });

  void it("where the named account is not one of the login's", async () => {
    const account = newAccount({ name: "One" });
    const outcome = await attempt(account, { environment: { CLOUDFLARE_ACCOUNT_ID: "f".repeat(32) } });
    assertRefused(
      outcome,
      /The login has no account f{32}, only One \([0-9a-f]+\): set CLOUDFLARE_ACCOUNT_ID/,
      account,
    );
  });

  for (const status of [401, 403]) {
    void it(`where a write is refused with ${status} and another code than usual`, async () => {
      const account = newAccount();
      const standIn = await startStandIn({
        accounts: [account],
        onCall({ method, path }, when) {
          if (when === "before" && method !== "GET" && path.includes("/r2/")) {
            throw new ApiError(status, 9109, "Unauthorized to access requested resource");
          }
        },
      });
      standIns.push(standIn);
      const outcome = await deploy(standIn, project);
      assertRefused(outcome, /lacks the permission "Workers R2 Storage: Edit" in the account Example/, account);
    });
  }

  for (const permission of ["D1", "Workers R2 Storage", "Workers Scripts"] as const) {
    for (const access of ["Read", "Edit"] as const) {
      void it(`where the token may not ${access.toLowerCase()} ${permission}`, async () => {
        const account = newAccount();
        const outcome = await attempt(account, { lacks: new Map([[permission, access]]) });
        assertRefused(
          outcome,
          new RegExp(`lacks the permission "${permission}: Edit" in the account Example`),
          account,
        );
      });
    }
  }

  void it("where the name belongs to another Worker", async () => {
    const account = newAccount();
    otherWorker(account);
    assertRefused(await attempt(account), /a Worker named cairn that is not Cairn: set another name/, account);
  });

  void it("where the database holds something else", async () => {
    const account = newAccount();
    const database = newDatabase("cairn");
    database.sqlite.exec("CREATE TABLE posts (id INTEGER); CREATE TABLE users (id INTEGER)");
    account.databases.push(database);
    assertRefused(
      await attempt(account),
      /holds tables of something else \(posts\): set another database_name/,
      account,
      1,
    );
  });

  void it("where wrangler.toml names a database of another account", async () => {
    const account = newAccount();
    const own = new Project();
    const id = "22222222-2222-4222-8222-222222222222";
    own.edit((toml) => toml.replace('database_name = "cairn"', `database_name = "cairn"\ndatabase_id = "${id}"`));
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    assertRefused(await deploy(standIn, own), new RegExp(`no D1 database with the id ${id}`), account);
    own.remove();
  });

  void it("where a setting is misspelt, and where the Worker cannot be built", async () => {
    const account = newAccount();
    const own = new Project();
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    own.edit((toml) => toml.replace("[vars]\n", '[vars]\nGARBAGE_COLLECTION = "off"\n'));
    assertRefused(await deploy(standIn, own), /GARBAGE_COLLECTION is "off"/, account);
    writeFileSync(join(own.folder, "broken.ts"), "export default {");
    own.edit((toml) => toml.replace('"off"', '"false"').replace("src/worker.ts", "broken.ts"));
    const { code, output } = await deploy(standIn, own);
    assert.equal(code, 1);
    assert.match(output, /deploy: .*broken\.ts/s);
    assert.equal(account.databases.length, 0);
    own.remove();
  });

  void it("where there is no terminal or file for new secrets", async () => {
    const account = newAccount();
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    assertRefused(await runScript(standIn, project, {}), /this is no terminal: give --credentials-file PATH/, account);
    const file = project.newCredentialsFile();
    writeFileSync(file, "kept");
    const taken = await runScript(standIn, project, { args: ["--credentials-file", file] });
    assertRefused(taken, /exists already: name another one/, account);
  });

  void it("where the plan allows no further database", async () => {
    const account = newAccount({ plan: "free" });
    for (let index = 0; index < 10; index += 1) account.databases.push(newDatabase(`other-${index}`));
    const outcome = await attempt(account);
    assertRefused(outcome, /as many D1 databases as its plan allows: delete one, or upgrade/, account, 10);
  });
});

void describe("the command line of npm run deploy", () => {
  void it("prints its usage for unknown arguments", async () => {
    const standIn = await startStandIn({ accounts: [newAccount()] });
    standIns.push(standIn);
    for (const args of [["--nonsense"], ["--location", "mars"]]) {
      const { code, output } = await runScript(standIn, project, { args });
      assert.equal(code, 2);
      assert.match(output, /Usage: npm run deploy/);
    }
    assert.equal(standIn.calls.length, 0);
  });
});

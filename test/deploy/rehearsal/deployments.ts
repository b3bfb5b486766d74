// Rehearses deployments that succeed: the first, the second, on every kind of account. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { after, describe, it } from "node:test";
import { type Account, deployedVersion, newAccount, secretsOf } from "../stand-in/account.ts";
import { type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { PROJECT_ROOT, readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { readMigrations } from "../../../scripts/migrations/folder.ts";
import { databaseOf, readSchema } from "../../../scripts/migrations/schema.ts";
import { Project, deploy, environment, readCredentials, runScript, runWrangler } from "../stand-in/harness.ts";

const NAMES = ["CAIRN_ROOT_ACCESS_KEY_ID", "CAIRN_ROOT_SECRET_ACCESS_KEY", "CAIRN_MASTER_KEY"];
const migrations = readMigrations(readWranglerToml().d1.migrationsDir);
const projects: Project[] = [];
const standIns: StandIn[] = [];
after(async () => {
  for (const project of projects) project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

function newProject(): Project {
  const project = new Project();
  projects.push(project);
  return project;
}

async function standInOf(...accounts: readonly Account[]): Promise<StandIn> {
  const standIn = await startStandIn({ accounts });
  standIns.push(standIn);
  return standIn;
}

void describe("npm run deploy", () => {
  void it("creates everything in a new account, writes the secrets to a file that only this user reads, and prints none", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    const { code, output, credentialsFile } = await deploy(standIn, project);
    assert.equal(code, 0, output);
    const [database] = account.databases;
    assert.ok(database !== undefined);
    assert.deepEqual(readSchema(database.sqlite), readSchema(databaseOf(migrations.map(({ sql }) => sql))));
    assert.deepEqual([...account.buckets.keys()], ["cairn-blobs"]);
    const worker = account.workers.get("cairn");
    const credentials = readCredentials(credentialsFile);
    assert.deepEqual(Object.keys(credentials).sort(), [...NAMES].sort());
    assert.deepEqual(secretsOf(worker), credentials);
    assert.equal(statSync(credentialsFile).mode & 0o777, 0o600);
    for (const secret of Object.values(credentials)) assert.ok(!output.includes(secret), "no secret is printed");
    assert.match(output, /endpoint +https:\/\/cairn\.example\.workers\.dev/);
    assert.ok(output.split("\n").length < 30, `progress is short:\n${output}`);
    assert.deepEqual(project.leftovers(), []);
    const files = [...(deployedVersion(worker)?.assets?.keys() ?? [])];
    assert.ok(files.includes("/index.html"), `the console is deployed: ${files.join(", ")}`);
    assert.ok(
      files.every((file) => file === "/index.html" || file.startsWith("/files/")),
      files.join(", "),
    );
    assert.deepEqual(worker?.crons, readWranglerToml().crons);
    assert.deepEqual(worker?.observability, {
      enabled: true,
      redact_query_string: true,
      logs: { invocation_logs: false, head_sampling_rate: 1 },
    });
    assert.deepEqual([worker?.isOnWorkersDev, worker?.hasPreviews], [true, false]);
    assert.deepEqual(worker?.deployments[0]?.codeUpdateStrategy, { mode: "immediate" });

    // The second deployment creates and loses nothing, and prints how to roll back.
    const first = deployedVersion(worker);
    const made = standIn.calls.length;
    const second = await runScript(standIn, project, {});
    assert.equal(second.code, 0, second.output);
    assert.deepEqual(secretsOf(worker), credentials);
    assert.equal(worker?.versions.length, 2);
    assert.equal(account.databases.length, 1);
    assert.deepEqual(worker?.deployments[0]?.codeUpdateStrategy, { mode: "immediate" });
    assert.ok(
      !standIn.calls.slice(made).some(({ method, path }) => method === "PUT" && path.endsWith("/scripts/cairn")),
    );
    const back = /npx wrangler (rollback \S+)/.exec(second.output)?.[1]?.split(" ") ?? [];
    const rolledBack = await runWrangler(standIn, project, [...back, "--name", "cairn", "-y"]);
    assert.equal(rolledBack.code, 0, rolledBack.output);
    assert.equal(deployedVersion(worker)?.id, first?.id);
  });

  void it("deploys without limits on the Free plan and prints what that plan lacks", async () => {
    const account = newAccount({ plan: "free" });
    const { code, output } = await deploy(await standInOf(account), newProject());
    assert.equal(code, 0, output);
    assert.match(output, /Free plan .* 10 ms of CPU .* 50 D1 queries/);
    const version = deployedVersion(account.workers.get("cairn"));
    assert.equal(version?.limits, undefined);
    const settingOf = (setting: string) => version?.bindings.find(({ name }) => name === setting)?.["text"];
    assert.deepEqual([settingOf("JOB_CALLS_PER_TICK"), settingOf("INLINE_MAX_BYTES")], ["40", "0"]);
  });

  void it("uses the named account of several", async () => {
    const [one, other] = [newAccount({ name: "One" }), newAccount({ name: "Other" })];
    const project = newProject();
    project.edit((toml) => `account_id = "${other.id}"\n${toml}`);
    const { code, output } = await deploy(await standInOf(one, other), project);
    assert.equal(code, 0, output);
    assert.deepEqual([one.workers.size, other.workers.size], [0, 1]);
    assert.deepEqual([one.databases.length, other.databases.length], [0, 1]);
  });

  void it("places everything at a location, which it writes to wrangler.toml", async () => {
    const account = newAccount();
    const project = newProject();
    const standIn = await standInOf(account);
    const { code, output } = await deploy(standIn, project, { args: ["--location", "weur"] });
    assert.equal(code, 0, output);
    assert.equal(account.databases[0]?.location, "weur");
    assert.equal(account.buckets.get("cairn-blobs")?.location, "weur");
    const version = deployedVersion(account.workers.get("cairn"));
    assert.deepEqual(version?.placement, { mode: "targeted", region: "aws:eu-west-1" });
    assert.equal(version?.bindings.find(({ name }) => name === "LOCATION")?.["text"], "weur");
    assert.match(project.toml, /\[vars\]\nLOCATION = "weur"/);
    const again = await deploy(standIn, project, { args: ["--location", "oc"] });
    assert.equal(again.code, 1);
    assert.match(again.output, /is in weur and cannot be moved to oc/);
  });

  void it("creates no secrets in a build service, and prints how to create them", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const { code, output } = await runScript(standIn, newProject(), { environment: { CI: "true", WORKERS_CI: "1" } });
    assert.equal(code, 0, output);
    assert.deepEqual(secretsOf(account.workers.get("cairn")), {});
    assert.match(output, /no root credentials/);
  });

  void it("uses the secrets of a build service, and refuses invalid ones", async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    const secrets = {
      CAIRN_ROOT_ACCESS_KEY_ID: "GIVENACCESSKEY",
      CAIRN_ROOT_SECRET_ACCESS_KEY: "a-secret-of-some-length",
      CAIRN_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
    };
    for (const wrong of [{ CAIRN_MASTER_KEY: "short" }, { CAIRN_ROOT_ACCESS_KEY_ID: "" }]) {
      const refused = await runScript(standIn, project, { environment: { ...secrets, ...wrong, CI: "true" } });
      assert.equal(refused.code, 1, refused.output);
      assert.equal(account.databases.length, 0);
      assert.ok(!refused.output.includes("short"));
    }
    const { code, output } = await runScript(standIn, project, { environment: { ...secrets, CI: "true" } });
    assert.equal(code, 0, output);
    assert.deepEqual(secretsOf(account.workers.get("cairn")), secrets);
    for (const secret of Object.values(secrets)) assert.ok(!output.includes(secret));
  });

  void it("shows the secrets once at the end to a terminal", { skip: !hasPseudoTerminal() }, async () => {
    const account = newAccount();
    const standIn = await standInOf(account);
    const project = newProject();
    const command = `${process.execPath} ${PROJECT_ROOT}/scripts/deploy.ts`;
    const terminal = { ...environment(standIn, project), TERM: "xterm" };
    const shown = await inPseudoTerminal(command, terminal, { prompt: "near this machine)", answer: "weur" });
    assert.equal(account.databases[0]?.location, "weur", shown);
    const secrets = secretsOf(account.workers.get("cairn"));
    assert.deepEqual(Object.keys(secrets).sort(), [...NAMES].sort(), shown);
    const [, end = ""] = shown.split("Cairn is deployed.");
    for (const secret of Object.values(secrets)) {
      assert.equal(shown.split(secret).length, 2, "it is shown once");
      assert.ok(end.includes(secret), "it is shown at the end");
    }
    const again = await inPseudoTerminal(command, terminal);
    assert.match(again, /Cairn is deployed/, "it is asked for once");
    for (const secret of Object.values(secrets)) assert.ok(!again.includes(secret));
  });
});

/** The `script` of util-linux runs a command at a terminal. */
function hasPseudoTerminal(): boolean {
  return spawnSync("script", ["--version"]).status === 0;
}

/** Runs a command at a terminal; where it shows `prompt`, `answer` is typed. */
async function inPseudoTerminal(
  command: string,
  env: Record<string, string>,
  { prompt, answer }: { prompt?: string; answer?: string } = {},
): Promise<string> {
  const child = spawn("script", ["-qec", command, "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
  let shown = "";
  let isAnswered = prompt === undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (isAnswered || prompt === undefined || !shown.includes(prompt)) return;
    isAnswered = true;
    child.stdin.write(`${answer}\r`);
  });
  await once(child, "close");
  return shown;
}

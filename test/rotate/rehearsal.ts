// Rehearses `npm run rotate`, with a Cairn that is served on this machine and with one that is deployed to the stand-in of
// Cloudflare's API. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import { AwsClient } from "aws4fetch";
import { type CairnProcess, endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { newAccount, secretsOf } from "../deploy/stand-in/account.ts";
import { ApiError } from "../deploy/stand-in/answers.ts";
import { type StandIn, startStandIn } from "../deploy/stand-in/cloudflare.ts";
import { type Outcome, Project, deploy, environment, readCredentials } from "../deploy/stand-in/harness.ts";
import { readDevVars } from "../../scripts/project/credentials.ts";
import { makeMasterKey } from "../../scripts/project/master-key.ts";
import { versionOf } from "../../scripts/rotate/sealed-secrets.ts";

interface Pair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const projects: Project[] = [];
const standIns: StandIn[] = [];
after(async () => {
  endRunningCairns();
  for (const project of projects) project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

function newProject(): Project {
  const project = new Project();
  projects.push(project);
  return project;
}

function rotate(env: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<Outcome> {
  const file = resolve(import.meta.dirname, "..", "..", "scripts", "rotate.ts");
  return new Promise((done) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", file, ...options],
      { env },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code), output: out + err }),
    );
  });
}

function rootOf(secrets: Readonly<Record<string, string>>): Pair {
  return {
    accessKeyId: secrets["CAIRN_ROOT_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: secrets["CAIRN_ROOT_SECRET_ACCESS_KEY"] ?? "",
  };
}

async function statusOf(url: string, pair: Pair): Promise<number> {
  const client = new AwsClient({ ...pair, service: "s3", region: "auto", retries: 0 });
  const response = await client.fetch(`${url}/`);
  await response.body?.cancel();
  return response.status;
}

/** Creates a user with all rights and returns its access key. */
async function newUser(url: string, root: Pair): Promise<Pair> {
  const client = new AwsClient({ ...root, service: "iam", region: "us-east-1", retries: 0 });
  const ask = async (fields: Record<string, string>): Promise<string> => {
    const response = await client.fetch(`${url}/`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ Version: "2010-05-08", UserName: "someone", ...fields }).toString(),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return text;
  };
  await ask({ Action: "CreateUser" });
  const document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}';
  await ask({ Action: "PutUserPolicy", PolicyName: "all", PolicyDocument: document });
  const made = await ask({ Action: "CreateAccessKey" });
  const between = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(made)?.[1] ?? "";
  return { accessKeyId: between("AccessKeyId"), secretAccessKey: between("SecretAccessKey") };
}

void describe("npm run rotate", () => {
  void it("replaces root and the master key of a local Cairn while earlier keys and tokens still work", async () => {
    const project = newProject();
    const state = join(project.folder, "state");
    mkdirSync(state);
    const env = { PATH: process.env["PATH"] ?? "", HOME: project.folder, CAIRN_PROJECT_ROOT: project.folder };
    const variables = (): Record<string, string> => readDevVars(project.folder);
    const root = (): Pair => rootOf(variables());
    const served = async (act: (cairn: CairnProcess) => Promise<void>): Promise<void> => {
      // What is given empty is taken from .dev.vars.
      const credentials = { accessKeyId: "", secretAccessKey: "" };
      const cairn = await startCairn({ state, credentials, settings: { ...env, CAIRN_MASTER_KEY: "" } });
      await act(cairn);
      await cairn.stop();
    };
    let user: Pair | undefined;
    await served(async ({ url }) => {
      user = await newUser(url, root());
    });
    assert.ok(user !== undefined);
    const [someone, before, first] = [user, root(), variables()];
    for (const subject of ["root", "master-key"]) {
      const begun = await rotate(env, subject, "--state", state);
      assert.equal(begun.code, 0, begun.output);
      for (const secret of Object.values(variables()))
        assert.ok(!begun.output.includes(secret), "no secret is printed");
      assert.match((await rotate(env, subject, "--state", state)).output, /under way: end it with --finish first/);
    }
    assert.notEqual(root().accessKeyId, before.accessKeyId);
    assert.equal(variables()["CAIRN_PREVIOUS_MASTER_KEYS"], first["CAIRN_MASTER_KEY"]);
    await served(async ({ url }) => {
      for (const pair of [before, root(), someone]) assert.equal(await statusOf(url, pair), 200);
    });
    const early = await rotate(env, "master-key", "--finish", "--state", state);
    assert.equal(early.code, 1);
    assert.match(early.output, /Sessions under the previous master key last until/);
    const finished = await rotate(env, "master-key", "--finish", "--end-sessions", "--state", state);
    assert.equal(finished.code, 0, finished.output);
    assert.ok(!("CAIRN_PREVIOUS_MASTER_KEYS" in variables()));
    assert.equal((await rotate(env, "root", "--finish", "--state", state)).code, 0);
    await served(async ({ url }) => {
      for (const pair of [root(), someone]) assert.equal(await statusOf(url, pair), 200);
      assert.equal(await statusOf(url, before), 403);
    });
    const nothing = await rotate(env, "root", "--finish", "--state", state);
    assert.equal(nothing.code, 1);
    assert.match(nothing.output, /no rotation is under way/);
  });

  void it("refuses to replace a master key that would be lost, and to retire a previous one that is still in use", async () => {
    const project = newProject();
    const state = join(project.folder, "state");
    mkdirSync(state);
    const env = { PATH: process.env["PATH"] ?? "", HOME: project.folder, CAIRN_PROJECT_ROOT: project.folder };
    const unknown = await rotate(env, "master-key", "--state", state);
    assert.equal(unknown.code, 1);
    assert.match(unknown.output, /the present CAIRN_MASTER_KEY is not known/);
    const elsewhere = await rotate({ ...env, CAIRN_MASTER_KEY: makeMasterKey() }, "master-key", "--state", state);
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.output, /CAIRN_MASTER_KEY is set in the environment/);
    assert.equal((await rotate(env, "everything")).code, 2);
  });

  void it("replaces the secrets of a deployed Worker by one call each, and prints and loses nothing", async () => {
    const account = newAccount();
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    const project = newProject();
    const { code, output, credentialsFile } = await deploy(standIn, project);
    assert.equal(code, 0, output);
    const worker = account.workers.get("cairn");
    const first = secretsOf(worker);
    const env = environment(standIn, project);
    const cairn = await startCairn({ state: join(project.folder, "state"), credentials: rootOf(first) });
    const newFile = project.newCredentialsFile();
    const options = ["root", "--deployed", "--endpoint", cairn.url];
    const wrong = join(project.folder, "credentials-wrong");
    writeFileSync(wrong, "CAIRN_ROOT_ACCESS_KEY_ID=UNUSED\nCAIRN_ROOT_SECRET_ACCESS_KEY=nothing\n");
    const refused = await rotate(env, ...options, "--current", wrong, "--credentials-file", newFile);
    assert.equal(refused.code, 1);
    assert.match(refused.output, /does not accept the credentials that are given as root's present ones/);
    const shown = await rotate(env, ...options, "--current", credentialsFile);
    assert.match(shown.output, /this is no terminal: give --credentials-file/);
    assert.deepEqual(secretsOf(worker), first);

    const made = standIn.calls.length;
    const begun = await rotate(env, ...options, "--current", credentialsFile, "--credentials-file", newFile);
    assert.equal(begun.code, 0, begun.output);
    const both = secretsOf(worker);
    assert.deepEqual(rootOf(both), rootOf(readCredentials(newFile)));
    assert.equal(both["CAIRN_PREVIOUS_ROOT_ACCESS_KEY_ID"], first["CAIRN_ROOT_ACCESS_KEY_ID"]);
    assert.equal(both["CAIRN_PREVIOUS_ROOT_SECRET_ACCESS_KEY"], first["CAIRN_ROOT_SECRET_ACCESS_KEY"]);
    assert.equal(both["CAIRN_MASTER_KEY"], first["CAIRN_MASTER_KEY"]);
    for (const secret of Object.values(both)) assert.ok(!begun.output.includes(secret), "no secret is printed");
    const writes = standIn.calls.slice(made).filter(({ path }) => path.includes("/secrets-bulk"));
    assert.equal(writes.length, 1);
    const ended = await rotate(env, "root", "--deployed", "--finish");
    assert.equal(ended.code, 0, ended.output);
    assert.deepEqual(Object.keys(secretsOf(worker)).sort(), Object.keys(first).sort());
    await cairn.stop();

    // The master key: only one that opens what the database holds is put aside, and only one that seals nothing is dropped.
    const [database] = account.databases;
    assert.ok(database !== undefined);
    const seal = (version: string): void => {
      database.sqlite.exec("DELETE FROM access_keys");
      database.sqlite
        .prepare(
          "INSERT INTO access_keys (id, user_id, secret, key_version, status, created_at) VALUES (?, ?, ?, ?, ?, 0)",
        )
        .run("AKIA0", "AIDA0", "sealed", version, "Active");
    };
    seal(versionOf(makeMasterKey()));
    const keyFile = project.newCredentialsFile();
    const begin = ["master-key", "--deployed", "--current", credentialsFile, "--credentials-file", keyFile];
    const foreign = await rotate(env, ...begin);
    assert.equal(foreign.code, 1);
    assert.match(foreign.output, /sealed under another master key than the one that is given/);
    seal(versionOf(first["CAIRN_MASTER_KEY"] ?? ""));
    const rotated = await rotate(env, ...begin);
    assert.equal(rotated.code, 0, rotated.output);
    const { CAIRN_MASTER_KEY: next = "", CAIRN_PREVIOUS_MASTER_KEYS: previous } = secretsOf(worker);
    assert.equal(previous, first["CAIRN_MASTER_KEY"]);
    assert.equal(readCredentials(keyFile)["CAIRN_MASTER_KEY"], next);
    const finish = ["master-key", "--deployed", "--finish", "--current", keyFile];
    assert.match((await rotate(env, ...finish)).output, /Sessions under the previous master key last until/);
    assert.match((await rotate(env, ...finish, "--end-sessions")).output, /1 secrets of access keys are still sealed/);
    seal(versionOf(next));
    const dropped = await rotate(env, ...finish, "--end-sessions");
    assert.equal(dropped.code, 0, dropped.output);
    assert.ok(!("CAIRN_PREVIOUS_MASTER_KEYS" in secretsOf(worker)));
    assert.equal(secretsOf(worker)["CAIRN_MASTER_KEY"], next);
  });

  for (const when of ["before", "after"] as const) {
    void it(`repeats a rotation whose call failed ${when} it took effect, and no deployment in between shows its secrets`, async () => {
      const account = newAccount();
      const standIn = await startStandIn({ accounts: [account] });
      standIns.push(standIn);
      const project = newProject();
      const { code, output, credentialsFile } = await deploy(standIn, project);
      assert.equal(code, 0, output);
      const env = environment(standIn, project);
      const keyFile = project.newCredentialsFile();
      const begin = ["master-key", "--deployed", "--current", credentialsFile, "--credentials-file", keyFile];
      standIn.options = {
        accounts: [account],
        onCall: ({ path }, at) => {
          if (at === when && path.includes("/secrets-bulk")) throw new ApiError(500, 10_013, "the answer is lost");
        },
      };
      assert.equal((await rotate(env, ...begin)).code, 1);
      standIn.options = { accounts: [account] };
      const between = await deploy(standIn, project);
      assert.equal(between.code, 0, between.output);
      assert.equal(existsSync(between.credentialsFile), false, "a deployment made no secrets");
      const repeated = await rotate(env, ...begin);
      assert.equal(repeated.code, 0, repeated.output);
      const { CAIRN_MASTER_KEY: next, CAIRN_PREVIOUS_MASTER_KEYS: previous } = secretsOf(account.workers.get("cairn"));
      assert.deepEqual(readCredentials(keyFile), { CAIRN_MASTER_KEY: next });
      assert.equal(previous, readCredentials(credentialsFile)["CAIRN_MASTER_KEY"]);
    });
  }

  void it("replaces the secrets of the Worker that only delivers too", async () => {
    const account = newAccount({ zones: ["example.com"] });
    const standIn = await startStandIn({ accounts: [account] });
    standIns.push(standIn);
    const project = newProject();
    project.edit((toml) => toml.replace("[vars]\n", '[vars]\nDELIVERY = "cdn.example.com=assets"\n'));
    const routes = 'routes = [{ pattern = "cdn.example.com", custom_domain = true }]';
    project.editDelivery((toml) => toml.replace("# routes", `${routes}\n# routes`));
    const { code, output, credentialsFile } = await deploy(standIn, project);
    assert.equal(code, 0, output);
    const env = environment(standIn, project);
    const keyFile = project.newCredentialsFile();
    const secrets = () => ["cairn", "cairn-delivery"].map((name) => secretsOf(account.workers.get(name)));
    const [first] = secrets();
    const begun = await rotate(
      env,
      "master-key",
      "--deployed",
      "--current",
      credentialsFile,
      "--credentials-file",
      keyFile,
    );
    assert.equal(begun.code, 0, begun.output);
    const [s3, delivery] = secrets();
    assert.deepEqual(delivery, s3);
    assert.equal(delivery?.["CAIRN_PREVIOUS_MASTER_KEYS"], first?.["CAIRN_MASTER_KEY"]);
    const ended = await rotate(env, "master-key", "--deployed", "--current", keyFile, "--finish", "--end-sessions");
    assert.equal(ended.code, 0, ended.output);
    const [last, ofDelivery] = secrets();
    assert.deepEqual(ofDelivery, last);
    assert.equal(last?.["CAIRN_PREVIOUS_MASTER_KEYS"], undefined);
  });
});

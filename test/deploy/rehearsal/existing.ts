// Rehearses deployments over existing ones: other names in wrangler.toml, half of the secrets missing, an
// account that cannot be listed and an API that cannot be reached. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type Account, deployedVersion, newAccount, secretsOf } from "../stand-in/account.ts";
import { ApiError, ForeignPage } from "../stand-in/answers.ts";
import { type ApiCall, type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { Project, deploy, readCredentials, runScript } from "../stand-in/harness.ts";

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

async function deployed(): Promise<{ account: Account; standIn: StandIn; project: Project; file: string }> {
  const account = newAccount();
  const standIn = await startStandIn({ accounts: [account] });
  const project = new Project();
  cleanups.push(
    () => project.remove(),
    () => standIn.stop(),
  );
  const { code, output, credentialsFile } = await deploy(standIn, project);
  assert.equal(code, 0, output);
  return { account, standIn, project, file: credentialsFile };
}

/** Puts a bucket with an object and an access key into the database of a deployment. */
function fill({ databases }: Account): void {
  const sqlite = databases[0]?.sqlite;
  sqlite?.exec(`INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES ('b', 'i', 'o', 'auto', 1);
    INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class, blob_id)
      VALUES ('i', 'k', 'v', 1, 5, 'e', 1, 'o', 'STANDARD', 'i/blob');
    INSERT INTO access_keys (id, user_id, secret, key_version, status, created_at)
      VALUES ('AKIA1', 'u', 'sealed', 'fingerprint', 'Active', 1)`);
}

/** Removes secrets from the deployed version, as the dashboard can. */
function dropSecrets(account: Account, ...names: readonly string[]): void {
  const worker = account.workers.get("cairn");
  const version = deployedVersion(worker);
  assert.ok(worker !== undefined && version !== undefined);
  const bindings = version.bindings.filter(({ name }) => !names.includes(name));
  worker.versions.splice(worker.versions.indexOf(version), 1, { ...version, bindings });
}

void describe("a deployment over an earlier one", () => {
  void it("refuses names under which the data would not be found, except for a database that is being rebuilt", async () => {
    const { account, standIn, project } = await deployed();
    const original = project.toml;
    project.edit((toml) => toml.replace('bucket_name = "cairn-blobs"', 'bucket_name = "elsewhere"'));
    const otherBucket = await runScript(standIn, project, {});
    assert.equal(otherBucket.code, 1);
    assert.match(
      otherBucket.output,
      /keeps its bytes in the R2 bucket cairn-blobs, and wrangler\.toml names elsewhere/,
    );
    project.edit(() => original.replace('database_name = "cairn"', 'database_name = "rebuilt"'));
    const otherDatabase = await runScript(standIn, project, {});
    assert.equal(otherDatabase.code, 1);
    assert.match(otherDatabase.output, /keeps its metadata in the D1 database .*: put the old database_name back/);
    assert.deepEqual([account.databases.length, account.buckets.size], [1, 1]);
    project.edit((toml) => toml.replace("[vars]\n", '[vars]\nREBUILD = "true"\n'));
    const rebuilt = await runScript(standIn, project, {});
    assert.equal(rebuilt.code, 0, rebuilt.output);
    const used = deployedVersion(account.workers.get("cairn"))?.bindings.find(({ name }) => name === "DB");
    assert.equal(used?.["id"], account.databases.find(({ name }) => name === "rebuilt")?.uuid);
  });

  void it("creates only the master key if only that is missing", async () => {
    const { account, standIn, project, file } = await deployed();
    dropSecrets(account, "CAIRN_MASTER_KEY");
    const { code, output, credentialsFile } = await deploy(standIn, project);
    assert.equal(code, 0, output);
    const made = readCredentials(credentialsFile);
    assert.deepEqual(Object.keys(made), ["CAIRN_MASTER_KEY"]);
    const { CAIRN_MASTER_KEY: _, ...others } = readCredentials(file);
    assert.deepEqual(secretsOf(account.workers.get("cairn")), { ...others, ...made });
  });

  void it("stops if half of the root credentials is missing, and names it", async () => {
    const { account, standIn, project } = await deployed();
    dropSecrets(account, "CAIRN_ROOT_SECRET_ACCESS_KEY");
    const before = account.workers.get("cairn")?.versions.length;
    const { code, output } = await deploy(standIn, project);
    assert.equal(code, 1);
    assert.match(output, /deploy: .*npx wrangler secret put CAIRN_ROOT_SECRET_ACCESS_KEY/);
    assert.equal(account.workers.get("cairn")?.versions.length, before);
  });

  void it("makes no master key in place of the one that access keys are encrypted under", async () => {
    for (const lose of [
      (account: Account) => dropSecrets(account, "CAIRN_MASTER_KEY"),
      (account: Account) => void account.workers.delete("cairn"),
    ]) {
      const { account, standIn, project } = await deployed();
      fill(account);
      lose(account);
      const { code, output } = await deploy(standIn, project);
      assert.equal(code, 1, output);
      assert.match(output, /^deploy: .* access keys .* set CAIRN_MASTER_KEY to it in the environment/m);
      const key = Buffer.alloc(32, 7).toString("base64");
      const given = await deploy(standIn, project, { environment: { CAIRN_MASTER_KEY: key } });
      assert.equal(given.code, 0, given.output);
      assert.equal(secretsOf(account.workers.get("cairn"))["CAIRN_MASTER_KEY"], key);
    }
  });

  void it("makes no empty bucket for the objects of its database, except where their bytes are in another store", async () => {
    const { account, standIn, project, file } = await deployed();
    fill(account);
    const environment = readCredentials(file);
    account.workers.delete("cairn");
    account.buckets.clear();
    const { code, output } = await runScript(standIn, project, { environment });
    assert.equal(code, 1, output);
    assert.match(output, /^deploy: .* has objects, and the account has no R2 bucket cairn-blobs with their bytes/m);
    assert.equal(account.buckets.size, 0);
    project.edit((toml) => toml.replace("[vars]\n", '[vars]\nBLOB_STORE_ENDPOINT = "https://s3.example.com"\n'));
    const elsewhere = await runScript(standIn, project, { environment });
    assert.equal(elsewhere.code, 0, elsewhere.output);
  });

  for (const status of [200, 502]) {
    void it(`is left alone where a proxy answers ${status} with a page of its own`, async () => {
      const { account, standIn, project, file } = await deployed();
      const onCall = ({ path }: ApiCall): void => {
        if (path.endsWith("/workers/scripts/cairn/settings")) throw new ForeignPage(status);
      };
      standIn.options = { accounts: [account], onCall };
      const { code, output } = await deploy(standIn, project);
      assert.equal(code, 1, output);
      assert.match(
        output,
        /^deploy: Cloudflare's API answered \S+\/settings with "something that is not the API's JSON"/m,
      );
      assert.equal(account.workers.get("cairn")?.versions.length, 1);
      assert.deepEqual(secretsOf(account.workers.get("cairn")), readCredentials(file));
    });
  }

  void it("finds its database in the list where the API takes ids alone", async () => {
    const { account, standIn, project } = await deployed();
    const before = account.databases.map(({ uuid }) => uuid);
    const onCall = ({ path }: ApiCall): void => {
      if (path.endsWith("/d1/database/cairn")) throw new ApiError(404, 7000, "No route for that URI");
    };
    standIn.options = { accounts: [account], onCall };
    const { code, output } = await runScript(standIn, project, {});
    assert.equal(code, 0, output);
    assert.deepEqual(
      account.databases.map(({ uuid }) => uuid),
      before,
    );
  });

  void it("uses the named account if the token may not list accounts, and reports an unreachable API", async () => {
    const { account, standIn, project } = await deployed();
    standIn.options = { accounts: [account], lacks: new Map([["Account Settings", "Read"]]) };
    const named = await runScript(standIn, project, { environment: { CLOUDFLARE_ACCOUNT_ID: account.id } });
    assert.equal(named.code, 0, named.output);
    assert.equal((await runScript(standIn, project, {})).code, 1);
    const environment = { CLOUDFLARE_API_BASE_URL: "http://127.0.0.1:9/client/v4" };
    const { code, output } = await runScript(standIn, project, { environment });
    assert.equal(code, 1);
    assert.match(output, /deploy: Cloudflare's API at 127\.0\.0\.1:9 cannot be reached/);
  });
});

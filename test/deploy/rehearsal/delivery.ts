// Rehearses deployments with the second Worker, which only delivers: the first one, later ones, the way back, and what stands
// against it. Run by `npm run test:deploy`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type Account, type Worker, deployedVersion, newAccount, secretsOf } from "../stand-in/account.ts";
import { type StandIn, startStandIn } from "../stand-in/cloudflare.ts";
import { Project, deploy, readCredentials, runScript, runWrangler } from "../stand-in/harness.ts";

const HOST = "cdn.example.com";
const projects: Project[] = [];
const standIns: StandIn[] = [];
after(async () => {
  for (const project of projects) project.remove();
  await Promise.all(standIns.map((standIn) => standIn.stop()));
});

async function standInOf(account: Account): Promise<StandIn> {
  const standIn = await startStandIn({ accounts: [account] });
  standIns.push(standIn);
  return standIn;
}

function newProject(): Project {
  const project = new Project();
  projects.push(project);
  return project;
}

/** Routes hosts to the delivery Worker, and names them in DELIVERY. */
function route(project: Project, delivery = `${HOST}=assets, *.site.example.com`): void {
  project.edit((toml) => toml.replace("[vars]\n", `[vars]\nDELIVERY = "${delivery}"\n`));
  const routes = `[{ pattern = "${HOST}", custom_domain = true }, { pattern = "*.site.example.com/*", zone_name = "example.com" }]`;
  project.editDelivery((toml) => toml.replace("# routes", `routes = ${routes}\n# routes`));
}

function bindingOf(worker: Worker | undefined, name: string): unknown {
  return deployedVersion(worker)?.bindings.find((binding) => binding.name === name);
}

function field(value: unknown, name: string): unknown {
  return Reflect.get(Object(value), name);
}

void describe("npm run deploy with routes of delivery hosts", () => {
  void it("deploys both Workers with the same databases, bucket, settings and secrets, again and back", async () => {
    const account = newAccount({ zones: ["example.com"] });
    const standIn = await standInOf(account);
    const project = newProject();
    project.edit(
      (toml) =>
        `${toml}\n[[d1_databases]]\nbinding = "META_1"\ndatabase_name = "cairn-1"\nmigrations_dir = "migrations"\n`,
    );
    route(project);
    const { code, output, credentialsFile } = await deploy(standIn, project, { args: ["--location", "weur"] });
    assert.equal(code, 0, output);
    const [s3, delivery] = [account.workers.get("cairn"), account.workers.get("cairn-delivery")];
    for (const name of ["DB", "META_1", "BLOBS", "DELIVERY"]) {
      assert.ok(bindingOf(delivery, name) !== undefined, name);
      assert.deepEqual(bindingOf(delivery, name), bindingOf(s3, name));
    }
    assert.equal(bindingOf(delivery, "COORDINATORS"), undefined);
    assert.deepEqual([delivery?.crons, delivery?.isOnWorkersDev, delivery?.hasPreviews], [[], false, false]);
    assert.deepEqual(deployedVersion(delivery)?.limits, deployedVersion(s3)?.limits);
    assert.deepEqual([deployedVersion(delivery)?.placement, delivery?.durableObjectClasses.size], [undefined, 0]);
    assert.deepEqual(secretsOf(delivery), readCredentials(credentialsFile));
    for (const secret of Object.values(secretsOf(delivery))) assert.ok(!output.includes(secret));
    assert.deepEqual([account.customDomains.get(HOST), delivery?.routes], ["cairn-delivery", ["*.site.example.com/*"]]);
    assert.match(output, /delivery +cdn\.example\.com, \*\.site\.example\.com/);
    assert.deepEqual(project.leftovers(), []);

    const versions = [s3, delivery].map((worker) => deployedVersion(worker)?.id);
    const again = await runScript(standIn, project, {});
    assert.equal(again.code, 0, again.output);
    assert.deepEqual([s3?.versions.length, delivery?.versions.length], [2, 2]);
    assert.deepEqual(secretsOf(delivery), readCredentials(credentialsFile));
    const back = Array.from(again.output.matchAll(/npx wrangler (rollback .+)/g), ([, command = ""]) => command);
    assert.equal(back.length, 2, again.output);
    for (const command of back) {
      const rolledBack = await runWrangler(standIn, project, [...command.split(" "), "-y"]);
      assert.equal(rolledBack.code, 0, rolledBack.output);
    }
    assert.deepEqual(
      [s3, delivery].map((worker) => deployedVersion(worker)?.id),
      versions,
    );
  });

  void it("adds the Worker to a deployed Cairn, with secrets from the environment or naming those that it lacks", async () => {
    const account = newAccount({ plan: "free", zones: ["example.com"] });
    const standIn = await standInOf(account);
    const project = newProject();
    const { credentialsFile } = await deploy(standIn, project);
    assert.equal(account.workers.has("cairn-delivery"), false, "without routes there is none");
    const secrets = readCredentials(credentialsFile);
    route(project);
    const bare = await runScript(standIn, project, {});
    assert.equal(bare.code, 0, bare.output);
    const delivery = account.workers.get("cairn-delivery");
    assert.deepEqual([secretsOf(delivery), deployedVersion(delivery)?.limits], [{}, undefined]);
    assert.match(bare.output, /cairn-delivery lacks CAIRN_ROOT_ACCESS_KEY_ID, .*refuses presigned URLs/s);
    const wrong = await runScript(standIn, project, { environment: { CAIRN_MASTER_KEY: "short" } });
    assert.equal(wrong.code, 1, wrong.output);
    assert.match(wrong.output, /CAIRN_MASTER_KEY cannot be used/);
    const given = await runScript(standIn, project, { environment: secrets });
    assert.equal(given.code, 0, given.output);
    assert.deepEqual(secretsOf(delivery), secrets);
    assert.doesNotMatch(given.output, /lacks/);
  });

  void it("upgrades a delivery Worker whose routes are no longer in the file", async () => {
    const account = newAccount({ zones: ["example.com"] });
    const standIn = await standInOf(account);
    const project = newProject();
    route(project);
    assert.equal((await deploy(standIn, project)).code, 0);
    project.editDelivery((toml) => toml.replace(/^routes.*$/m, ""));
    const { code, output } = await runScript(standIn, project, {});
    assert.equal(code, 0, output);
    assert.equal(account.workers.get("cairn-delivery")?.versions.length, 2);
    assert.equal(account.customDomains.get(HOST), "cairn-delivery");
  });

  for (const [condition, given, change, says] of [
    ["the account has no zone for a host", {}, () => undefined, /no zone for cdn\.example\.com/],
    [
      "DELIVERY does not name a routed host",
      { zones: ["example.com"] },
      (project: Project) => {
        project.edit((toml) => toml.replace(`${HOST}=assets, `, ""));
      },
      /route for cdn\.example\.com, which DELIVERY in wrangler\.toml does not name/,
    ],
    [
      "the two files deliver different hosts",
      { zones: ["example.com"] },
      (project: Project) => {
        project.editDelivery((toml) => toml.replace("[vars]\n", '[vars]\nDELIVERY = "other.example.com=b"\n'));
      },
      /DELIVERY is not the one of wrangler\.toml/,
    ],
    [
      "both Workers have one name",
      { zones: ["example.com"] },
      (project: Project) => {
        project.editDelivery((toml) => toml.replace('"cairn-delivery"', '"cairn"'));
      },
      /the name cairn is the one of wrangler\.toml/,
    ],
  ] as const) {
    void it(`stops before it creates anything if ${condition}`, async () => {
      const account = newAccount(given);
      const project = newProject();
      route(project);
      change(project);
      const { code, output } = await deploy(await standInOf(account), project);
      assert.equal(code, 1, output);
      assert.match(output, says);
      assert.deepEqual([account.databases.length, account.workers.size], [0, 0]);
    });
  }

  void it("takes no host from another Worker, and replaces no Worker that delivers from another bucket", async () => {
    const account = newAccount({ zones: ["example.com"] });
    const standIn = await standInOf(account);
    const project = newProject();
    route(project);
    account.customDomains.set(HOST, "blog");
    const taken = await deploy(standIn, project);
    assert.match(taken.output, /cdn\.example\.com is a custom domain of the Worker blog/);
    account.customDomains.delete(HOST);
    assert.equal((await deploy(standIn, project)).code, 0);
    const other = newProject();
    route(other);
    for (const [name, own] of [
      ["cairn", "staging"],
      ["cairn-blobs", "staging-blobs"],
    ])
      other.edit((toml) => toml.replaceAll(`name = "${name}"`, `name = "${own}"`));
    const refused = await deploy(standIn, other);
    assert.equal(refused.code, 1, refused.output);
    assert.match(
      refused.output,
      /a Worker named cairn-delivery that does not deliver from the R2 bucket staging-blobs/,
    );
    assert.equal(account.workers.has("staging"), false);
    assert.equal(field(bindingOf(account.workers.get("cairn-delivery"), "BLOBS"), "bucket_name"), "cairn-blobs");
  });
});

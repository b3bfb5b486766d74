// Rehearses deployments by a build service, which names the Worker of a build in the environment. Run by
// `npm run test:deploy`.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { deployedVersion, newAccount, secretsOf } from "../stand-in/account.ts";
import { startStandIn } from "../stand-in/cloudflare.ts";
import { Project, runScript } from "../stand-in/harness.ts";

const cleanups: (() => unknown)[] = [];
after(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

const SECRETS = {
  CAIRN_ROOT_ACCESS_KEY_ID: "GIVENACCESSKEY",
  CAIRN_ROOT_SECRET_ACCESS_KEY: "a-secret-of-some-length",
  CAIRN_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
};

void describe("a deployment in a build service", () => {
  for (const name of ["cairn", "my-store"]) {
    void it(`has the name ${name} that the service gives it, and the Worker that only delivers keeps its own`, async () => {
      const account = newAccount({ zones: ["example.com"] });
      const standIn = await startStandIn({ accounts: [account] });
      const project = new Project();
      cleanups.push(
        () => project.remove(),
        () => standIn.stop(),
      );
      project.edit((toml) => toml.replace("[vars]\n", '[vars]\nDELIVERY = "cdn.example.com=assets"\n'));
      const routes = 'routes = [{ pattern = "cdn.example.com", custom_domain = true }]\n';
      project.editDelivery((toml) => toml.replace("# routes", `${routes}# routes`));
      const service = { CI: "true", WORKERS_CI: "1", WRANGLER_CI_OVERRIDE_NAME: name };
      const first = await runScript(standIn, project, { environment: { ...service, ...SECRETS } });
      assert.equal(first.code, 0, first.output);
      // The service knows the tag of its Worker from then on.
      const tag = account.workers.get(name)?.tag ?? "";
      const environment = { ...service, WRANGLER_CI_MATCH_TAG: tag, CLOUDFLARE_ACCOUNT_ID: account.id };
      const second = await runScript(standIn, project, { environment });
      assert.equal(second.code, 0, second.output);
      assert.deepEqual(new Set(account.workers.keys()), new Set([name, "cairn-delivery"]));
      const hasCoordinators = (worker: string): boolean =>
        deployedVersion(account.workers.get(worker))?.bindings.some((one) => one.name === "COORDINATORS") === true;
      assert.deepEqual([hasCoordinators(name), hasCoordinators("cairn-delivery")], [true, false]);
      assert.deepEqual(secretsOf(account.workers.get(name)), SECRETS);
    });
  }

  void it("is refused with an environment of wrangler, which would have another name", async () => {
    const account = newAccount();
    const standIn = await startStandIn({ accounts: [account] });
    const project = new Project();
    cleanups.push(
      () => project.remove(),
      () => standIn.stop(),
    );
    const environment = { ...SECRETS, CLOUDFLARE_ENV: "production" };
    const { code, output } = await runScript(standIn, project, { environment });
    assert.equal(code, 1, output);
    assert.match(output, /^deploy: CLOUDFLARE_ENV is production, .*: unset it/m);
    assert.deepEqual([account.workers.size, account.databases.length, standIn.calls.length], [0, 0, 0]);
  });
});

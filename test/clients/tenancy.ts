// Tenants who share a bucket: each may do everything with its own folder and nothing with the other's, by any operation
// and with any client.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Caller } from "../../scripts/tenancy/caller.ts";
import { operatorPolicy, type PolicyDocument, tenantPolicy } from "../../scripts/tenancy/policies.ts";
import { addTenant, addUser, makeTenantBucket, deleteTenantBucket, deleteUser } from "../../scripts/tenancy/tenants.ts";
import type { AwsCli } from "./aws-cli.ts";
import type { Boto3 } from "./boto3.ts";
import { openPageServer } from "./browser/page-server.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { outputOf } from "./run-command.ts";
import { clientEnvironment, newFolder, type Site } from "./site.ts";
import { foreignChecks } from "./tenancy/foreign.ts";
import { lendingChecks } from "./tenancy/lending.ts";
import { ownChecks } from "./tenancy/own.ts";
import { awsCliCheck, boto3Check } from "./tenancy/programs.ts";
import { revocationChecks } from "./tenancy/revocation.ts";
import { assertDenied, assertDone, type TenancyTools } from "./tenancy/tools.ts";

const DEMONSTRATION = resolve(import.meta.dirname, "..", "..", "scripts", "tenancy.ts");
const GUIDE = resolve(import.meta.dirname, "..", "..", "docs", "tenancy.md");

/** The checks of tenants over plain HTTP, for which root only creates the operator, who creates the rest. */
export function tenancy(site: Site, awsClis: readonly AwsCli[], boto3s: readonly Boto3[]): Suite {
  return {
    client: "tenancy",
    async run(report) {
      const place = { endpoint: site.http.url, region: site.region };
      const mark = randomBytes(3).toString("hex");
      const bucket = `tenancy-${mark}`;
      const root = new Caller(place, site.root);
      const { name, caller: operator } = await addUser(root, `operator-${mark}`, operatorPolicy(bucket), "/");
      const pages = await openPageServer();
      await makeTenantBucket(operator, bucket, pages.origin);
      // One name is a prefix of the other, so that a policy's prefix without its slash would match both.
      const one = await addTenant(operator, bucket, `al-${mark}`);
      const other = await addTenant(operator, bucket, `al-${mark}ice`);
      const tools: TenancyTools = { site, place, pages, bucket, operator, one, other };
      const turns = [tools, { ...tools, one: other, other: one }];
      try {
        await suiteOf("tenancy", [
          ...turns.flatMap(ownChecks),
          ...turns.flatMap(foreignChecks),
          ...turns.flatMap(lendingChecks),
          ...awsClis.slice(0, 1).map((found) => awsCliCheck(tools, found)),
          ...boto3s.map((found) => boto3Check(tools, found)),
          ...revocationChecks(tools),
          tagCheck(tools, root),
          removalCheck(tools),
          guideCheck(),
          demonstrationCheck(site),
        ]).run(report);
      } finally {
        pages.close();
      }
      await deleteUser(root, name);
    },
  };
}

function tagCheck({ bucket, operator, other }: TenancyTools, root: Caller): Check {
  return {
    name: "users with the same tag share the folder named by the tag, and a user without the tag has none",
    async run() {
      const team = `team-${randomBytes(3).toString("hex")}`;
      const text = JSON.stringify(tenantPolicy(bucket)).replaceAll("${aws:username}/", "${aws:PrincipalTag/tenant}/");
      const policy: PolicyDocument = JSON.parse(text);
      const [first, second, untagged] = [`${team}-1`, `${team}-2`, `${team}-3`];
      const users = await Promise.all([first, second, untagged].map((name) => addUser(operator, name, policy)));
      const tag = { "Tags.member.1.Key": "tenant", "Tags.member.1.Value": team };
      for (const UserName of [first, second]) await root.iam("TagUser", { UserName, ...tag });
      const [put, get, none] = users.map(({ caller }) => caller);
      assert.ok(put !== undefined && get !== undefined && none !== undefined);
      await assertDone(put.s3("PUT", `/${bucket}/${team}/k`, { body: "shared" }));
      assert.equal(await assertDone(get.s3("GET", `/${bucket}/${team}/k`)), "shared");
      await assertDone(get.s3("GET", `/${bucket}?prefix=${team}/`));
      await assertDenied(get.s3("GET", `/${bucket}/${other.name}/secret`));
      for (const key of [`${team}/k`, "k", "/k", `${untagged}/k`]) {
        await assertDenied(none.s3("PUT", `/${bucket}/${key}`, { body: "x" }), key);
      }
      for (const { name } of users) await deleteUser(operator, name);
    },
  };
}

function guideCheck(): Check {
  return {
    name: "docs/tenancy.md contains the policies that these checks use",
    run() {
      const blocks = readFileSync(GUIDE, "utf8").matchAll(/^```json\n(.*?)^```$/gms);
      const shown = Array.from(blocks, ([, text = ""]): unknown => JSON.parse(text));
      assert.deepEqual(shown, [tenantPolicy("BUCKET"), operatorPolicy("BUCKET")]);
      return Promise.resolve();
    },
  };
}

function removalCheck({ operator, bucket, other }: TenancyTools): Check {
  return {
    name: "the operator removes tenants and bucket without ever having read an object",
    async run() {
      assert.equal((await operator.s3("GET", `/${bucket}/${other.name}/secret`)).status, 403);
      await deleteUser(operator, other.name);
      await deleteTenantBucket(operator, bucket);
      assert.equal((await operator.s3("HEAD", `/${bucket}`)).status, 404);
    },
  };
}

function demonstrationCheck(site: Site): Check {
  return {
    name: "`npm run tenancy` shows the isolation that it describes, and leaves nothing behind",
    async run() {
      const output = await outputOf(process.execPath, [DEMONSTRATION, "--endpoint", site.http.url], {
        env: {
          ...clientEnvironment(site, newFolder(site, "tenancy")),
          AWS_ACCESS_KEY_ID: site.root.accessKeyId,
          AWS_SECRET_ACCESS_KEY: site.root.secretAccessKey,
        },
      });
      assert.match(output, /^Each tenant can read and change its own folder only\.$/m);
      assert.equal(output.match(/^ {2}yes /gm)?.length, 7, output);
      const [, bucket = ""] = /the bucket ([\w-]+)/.exec(output) ?? [];
      const root = new Caller({ endpoint: site.http.url, region: site.region }, site.root);
      assert.equal((await root.s3("HEAD", `/${bucket}`)).status, 404);
      assert.doesNotMatch(await root.iam("ListUsers", { PathPrefix: "/tenants/" }), new RegExp(bucket.slice(-6)));
    },
  };
}

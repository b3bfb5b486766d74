// A deployment whose root credentials are disabled: an administrator's own key does everything. On a server of its own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { at } from "../at.ts";
import type { AwsCli } from "../aws-cli.ts";
import { awsCliTools } from "../aws-cli/tools.ts";
import { startCairn } from "../cairn-process.ts";
import type { Check } from "../harness.ts";
import { endpointAt, newFolder, type Site } from "../site.ts";
import { allow, ask, variablesOf, type Variables } from "./tools.ts";

const ADMIN = ["--user-name", "admin"];

export function withoutRootCheck(site: Site, { program }: AwsCli): Check {
  const state = join(newFolder(site, "without-root"), "state");
  const start = (settings: Readonly<Record<string, string>>) =>
    startCairn({ state, credentials: site.credentials, settings });
  return {
    name: "with root disabled an administrator's key does everything, over a restart, and root's nothing",
    async run() {
      const first = await start({});
      const admin = await makeAdmin(site, first.url, program);
      await first.stop();
      const second = await start({ ROOT_CREDENTIALS: "disabled" });
      await manage(site, second.url, program, admin);
      await second.stop();
    },
  };
}

async function makeAdmin(site: Site, url: string, program: string): Promise<Variables> {
  const tools = awsCliTools(site, endpointAt(url), program);
  await ask(tools, {}, "iam", "create-user", ...ADMIN);
  const document = allow(["s3:*", "iam:*", "sts:*"], "*");
  await ask(tools, {}, "iam", "put-user-policy", ...ADMIN, "--policy-name", "all", "--policy-document", document);
  return variablesOf(at(await ask(tools, {}, "iam", "create-access-key", ...ADMIN), "AccessKey"));
}

async function manage(site: Site, url: string, program: string, admin: Variables): Promise<void> {
  const tools = awsCliTools(site, endpointAt(url), program);
  const { awsWith, bucket } = tools;
  await assert.rejects(awsWith({}, "s3", "ls"), /\(InvalidAccessKeyId\)/);
  await assert.rejects(awsWith({}, "iam", "list-users"), /\(InvalidClientTokenId\)/);
  const place = `s3://${bucket}`;
  await awsWith(admin, "s3", "mb", place);
  await awsWith(admin, "s3", "cp", "--only-show-errors", site.medium.file, `${place}/a/large`);
  await awsWith(admin, "s3", "mv", "--only-show-errors", `${place}/a/large`, `${place}/b/large`);
  assert.match(await awsWith(admin, "s3", "ls", `${place}/b/`), /large/);
  assert.match(await awsWith(admin, "s3", "ls"), new RegExp(` ${bucket}$`, "m"));
  await ask(tools, admin, "iam", "create-user", "--user-name", "other");
  const role = ["--role-arn", "arn:aws:iam::000000000000:role/job", "--role-session-name", "job"];
  const session = variablesOf(at(await ask(tools, admin, "sts", "assume-role", ...role), "Credentials"));
  await awsWith(session, "s3", "rb", "--force", place);
}

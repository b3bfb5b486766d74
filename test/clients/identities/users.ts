// The AWS command line: users, their keys, policies and tags, and what a user may then do with objects.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { at } from "../at.ts";
import type { AwsCliTools } from "../aws-cli/tools.ts";
import type { Check } from "../harness.ts";
import { allow, ask, variablesOf } from "./tools.ts";

export function userChecks(tools: AwsCliTools): Check[] {
  const user = `alice-${randomBytes(4).toString("hex")}`;
  const named = ["--user-name", user];
  const iam = (...command: readonly string[]): Promise<unknown> => ask(tools, {}, "iam", ...command);
  return [
    {
      name: "a user is made, shown, listed, tagged and renamed",
      async run() {
        const made = await iam("create-user", ...named, "--path", "/staff/", "--tags", "Key=team,Value=a b");
        assert.equal(at(made, "User", "Arn"), `arn:aws:iam::000000000000:user/staff/${user}`);
        const shown = await iam("get-user", ...named);
        assert.deepEqual(at(shown, "User", "Tags"), [{ Key: "team", Value: "a b" }]);
        const listed = await iam("list-users", "--path-prefix", "/staff/", "--query", "Users[].UserName");
        assert.ok(Array.isArray(listed) && listed.includes(user));
        await iam("tag-user", ...named, "--tags", "Key=other,Value=é");
        await iam("untag-user", ...named, "--tag-keys", "team");
        assert.deepEqual(at(await iam("list-user-tags", ...named), "Tags"), [{ Key: "other", Value: "é" }]);
        await iam("update-user", ...named, "--new-user-name", `${user}-x`);
        await iam("update-user", "--user-name", `${user}-x`, "--new-user-name", user);
        await assert.rejects(iam("create-user", ...named), /\(EntityAlreadyExists\).*already exists/s);
      },
    },
    {
      name: "an access key does what the user's policies allow, and stops when it is turned off",
      run: () => keyLife(tools, named, iam),
    },
    {
      name: "a user is deleted once nothing is left of it",
      async run() {
        const keys = await iam("list-access-keys", ...named, "--query", "AccessKeyMetadata[].AccessKeyId");
        await assert.rejects(iam("delete-user", ...named), /\(DeleteConflict\)/);
        for (const key of Array.isArray(keys) ? keys : []) {
          await iam("delete-access-key", ...named, "--access-key-id", String(key));
        }
        await iam("delete-user-policy", ...named, "--policy-name", "own-prefix");
        await iam("delete-user", ...named);
        await assert.rejects(iam("get-user", ...named), /\(NoSuchEntity\)/);
      },
    },
  ];
}

async function keyLife(
  tools: AwsCliTools,
  named: readonly string[],
  iam: (...command: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const { aws, awsWith, bucket, site } = tools;
  await aws("s3", "mb", `s3://${bucket}`);
  const key = at(await iam("create-access-key", ...named), "AccessKey");
  const id = String(at(key, "AccessKeyId"));
  const own = variablesOf(key);
  const place = `s3://${bucket}/${named[1] ?? ""}/body`;
  const put = () => awsWith(own, "s3", "cp", "--only-show-errors", site.mebibyte.file, place);
  await assert.rejects(put(), /\(AccessDenied\)/);
  const policy = allow(["s3:PutObject", "s3:GetObject"], `arn:aws:s3:::${bucket}/\${aws:username}/*`);
  await iam("put-user-policy", ...named, "--policy-name", "own-prefix", "--policy-document", policy);
  const shown = await iam("get-user-policy", ...named, "--policy-name", "own-prefix");
  assert.deepEqual(at(shown, "PolicyDocument"), JSON.parse(policy));
  assert.deepEqual(at(await iam("list-user-policies", ...named), "PolicyNames"), ["own-prefix"]);
  await put();
  await assert.rejects(awsWith(own, "s3", "ls", `s3://${bucket}`), /\(AccessDenied\)/);
  await assert.rejects(awsWith(own, "iam", "list-users"), /\(AccessDenied\)/);
  const used = await iam("get-access-key-last-used", "--access-key-id", id);
  assert.equal(at(used, "AccessKeyLastUsed", "ServiceName"), "s3");
  const status = (state: string) => iam("update-access-key", ...named, "--access-key-id", id, "--status", state);
  await status("Inactive");
  await assert.rejects(put(), /\(InvalidAccessKeyId\)/);
  await assert.rejects(awsWith(own, "sts", "get-caller-identity"), /\(InvalidClientTokenId\)/);
  await status("Active");
  await put();
  await iam("create-access-key", ...named);
  await assert.rejects(iam("create-access-key", ...named), /\(LimitExceeded\)/);
}

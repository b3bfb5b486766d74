// The calls that Terraform's AWS provider makes for aws_iam_user, aws_iam_access_key and aws_iam_user_policy, one after
// another as it makes them: at its start, at an apply, at a refresh, and at a destroy with force_destroy.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { AwsClient } from "aws4fetch";
import type { Check } from "../harness.ts";
import type { Endpoint, Site } from "../site.ts";
import { allow } from "./tools.ts";

type Parameters = Readonly<Record<string, string>>;

const VERSIONS = { iam: "2010-05-08", sts: "2011-06-15" } as const;

export function terraformChecks({ credentials, region }: Site, { url }: Endpoint): Check[] {
  const call = async (
    service: keyof typeof VERSIONS,
    action: string,
    parameters: Parameters = {},
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const client = new AwsClient({ ...credentials, service, region, retries: 0 });
    const body = new URLSearchParams({ Action: action, Version: VERSIONS[service], ...parameters }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await client.fetch(`${url}/`, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };
  const done = async (action: string, parameters: Parameters): Promise<string> => {
    const { status, text } = await call("iam", action, parameters);
    assert.equal(status, 200, `${action}: ${text}`);
    return text;
  };
  const missing = async (action: string, parameters: Parameters): Promise<void> => {
    const { status, text } = await call("iam", action, parameters);
    assert.equal(status, 404, `${action}: ${text}`);
    assert.match(text, /<Code>NoSuchEntity<\/Code>/);
  };
  const UserName = `terraform-${randomBytes(4).toString("hex")}`;
  const policy = { UserName, PolicyName: "inline" };
  let AccessKeyId = "";
  return [
    {
      name: "Terraform's provider finds out who it is",
      async run() {
        const { status, text } = await call("sts", "GetCallerIdentity");
        assert.equal(status, 200);
        assert.match(text, /<Account>\d{12}<\/Account>/);
      },
    },
    {
      name: "Terraform's apply and refresh of a user, a key and a policy find what was made",
      async run() {
        const tags = { "Tags.member.1.Key": "Name", "Tags.member.1.Value": "tf" };
        await done("CreateUser", { UserName, Path: "/tf/", ...tags });
        AccessKeyId = /<AccessKeyId>(\w+)</.exec(await done("CreateAccessKey", { UserName }))?.[1] ?? "";
        const PolicyDocument = allow(["s3:*"], "*");
        await done("PutUserPolicy", { ...policy, PolicyDocument });
        for (let refresh = 0; refresh < 2; refresh += 1) {
          const user = await done("GetUser", { UserName });
          assert.match(user, /<Path>\/tf\/<\/Path>/);
          assert.match(user, /<Tags><member><Key>Name<\/Key><Value>tf<\/Value><\/member><\/Tags>/);
          assert.match(await done("ListAccessKeys", { UserName }), new RegExp(`<AccessKeyId>${AccessKeyId}</`));
          const shown = /<PolicyDocument>([^<]*)</.exec(await done("GetUserPolicy", policy))?.[1] ?? "";
          assert.equal(decodeURIComponent(shown), PolicyDocument);
        }
        await done("UpdateUser", { UserName, NewUserName: UserName, NewPath: "/tf/" });
        await done("TagUser", { UserName, "Tags.member.1.Key": "Name", "Tags.member.1.Value": "new" });
        await done("UntagUser", { UserName, "TagKeys.member.1": "Name" });
        await done("UpdateAccessKey", { UserName, AccessKeyId, Status: "Inactive" });
      },
    },
    {
      name: "Terraform's destroy clears everything that a user could have, and then the user",
      async run() {
        await done("DeleteUserPolicy", policy);
        await missing("GetUserPolicy", policy);
        await done("ListGroupsForUser", { UserName });
        await done("ListAttachedUserPolicies", { UserName });
        await done("ListUserPolicies", { UserName });
        await done("ListAccessKeys", { UserName });
        await done("DeleteAccessKey", { UserName, AccessKeyId });
        await done("ListSSHPublicKeys", { UserName });
        await done("ListVirtualMFADevices", { AssignmentStatus: "Assigned" });
        await done("ListMFADevices", { UserName });
        await missing("DeleteLoginProfile", { UserName });
        await done("ListSigningCertificates", { UserName });
        await done("ListServiceSpecificCredentials", { UserName });
        await done("DeleteUser", { UserName });
        await missing("GetUser", { UserName });
        await missing("DeleteUser", { UserName });
      },
    },
  ];
}

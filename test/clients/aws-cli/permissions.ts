// The AWS command line: permissions of callers other than the bucket's owner.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import { curlFor } from "../curl-command.ts";
import type { Check } from "../harness.ts";
import { newBucketName } from "../site.ts";
import type { AwsCliTools } from "./tools.ts";

export function permissionChecks(tools: AwsCliTools): Check[] {
  const { json, site, endpoint, folder } = tools;
  const bucket = newBucketName("aws-cli-shared");
  const here = ["--bucket", bucket];
  const object = [...here, "--key", "k"];
  const curl = curlFor(site, folder);
  const read = async (): Promise<number> => (await curl(`${endpoint.url}/${bucket}/k`)).status;
  const statement = { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: `arn:aws:s3:::${bucket}/*` };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const putPolicy = () => json("put-bucket-policy", ...here, "--policy", policy);
  return [
    {
      name: "put-bucket-policy makes a bucket public, get-bucket-policy-status reports it, and deleting the policy ends it",
      async run() {
        const file = join(folder, "shared");
        writeFileSync(file, "shared");
        await json("create-bucket", ...here);
        await json("put-object", ...object, "--body", file);
        await assert.rejects(json("get-bucket-policy", ...here), /\(NoSuchBucketPolicy\)/);
        assert.equal(await read(), 403);
        await putPolicy();
        assert.equal(await read(), 200);
        assert.deepEqual(
          JSON.parse(String(at(await json("get-bucket-policy", ...here), "Policy"))),
          JSON.parse(policy),
        );
        assert.equal(at(await json("get-bucket-policy-status", ...here), "PolicyStatus", "IsPublic"), true);
        await json("delete-bucket-policy", ...here);
        assert.equal(await read(), 403);
      },
    },
    {
      name: "put-public-access-block disables a public policy and rejects new ones",
      async run() {
        const block = (names: readonly string[]) =>
          json(
            "put-public-access-block",
            ...here,
            "--public-access-block-configuration",
            names.map((name) => `${name}=true`).join(","),
          );
        await putPolicy();
        await block(["RestrictPublicBuckets"]);
        assert.equal(await read(), 403);
        await block(["BlockPublicPolicy"]);
        const shown = await json("get-public-access-block", ...here);
        assert.equal(at(shown, "PublicAccessBlockConfiguration", "BlockPublicPolicy"), true);
        assert.equal(await read(), 200);
        await assert.rejects(putPolicy(), /\(AccessDenied\)/);
        await json("delete-public-access-block", ...here);
        await putPolicy();
        await json("delete-bucket-policy", ...here);
      },
    },
    {
      name: "put-bucket-ownership-controls turns ACLs on, and put-object-acl makes one object public",
      async run() {
        const putAcl = (acl: string) => json("put-object-acl", ...object, "--acl", acl);
        await assert.rejects(putAcl("public-read"), /\(AccessControlListNotSupported\)/);
        const controls = "Rules=[{ObjectOwnership=BucketOwnerPreferred}]";
        await json("put-bucket-ownership-controls", ...here, "--ownership-controls", controls);
        await putAcl("public-read");
        assert.equal(await read(), 200);
        const grants = at(await json("get-object-acl", ...object), "Grants");
        assert.match(JSON.stringify(grants), /groups\/global\/AllUsers".*"READ"/);
        await putAcl("private");
        assert.equal(await read(), 403);
        await json("delete-object", ...object);
        await json("delete-bucket", ...here);
      },
    },
  ];
}

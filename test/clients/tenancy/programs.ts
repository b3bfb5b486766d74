// aws-cli and boto3 with a tenant's keys work in its folder as they do elsewhere.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { AwsCli } from "../aws-cli.ts";
import { awsCliTools } from "../aws-cli/tools.ts";
import { type Boto3, runPython } from "../boto3.ts";
import type { Check } from "../harness.ts";
import { assertSameBytes } from "../hashes.ts";
import type { TenancyTools } from "./tools.ts";

/** No configuration file: uploads of more than 8 MiB are sent in parts. */
const OWN_THRESHOLDS = { AWS_CONFIG_FILE: "/dev/null" };

export function awsCliCheck({ site, bucket, one, other }: TenancyTools, { program, version }: AwsCli): Check {
  return {
    name: `aws-cli ${version} with a tenant's keys copies, lists and deletes in its folder and is refused elsewhere`,
    async run() {
      const { awsWith, folder } = awsCliTools({ ...site, credentials: one.keys }, site.http, program);
      const aws = (...argumentList: string[]) => awsWith(OWN_THRESHOLDS, "s3", ...argumentList);
      const own = `s3://${bucket}/${one.name}/`;
      await aws("cp", "--quiet", site.medium.file, `${own}cli/medium`);
      assert.match(await aws("ls", own), /PRE cli\/$/m);
      assert.match(await aws("ls", `${own}cli/`), new RegExp(` ${site.medium.size} medium$`, "m"));
      await aws("cp", "--quiet", `${own}cli/medium`, join(folder, "medium"));
      await assertSameBytes(join(folder, "medium"), site.medium);
      await aws("rm", "--quiet", "--recursive", `${own}cli/`);
      const foreign = `s3://${bucket}/${other.name}/`;
      for (const command of [
        ["ls", foreign],
        ["ls", `s3://${bucket}`],
        ["cp", site.mebibyte.file, `${foreign}planted`],
        ["cp", `${foreign}secret`, `${own}stolen`],
      ]) {
        await assert.rejects(aws(...command), /\((?:AccessDenied|403)\)/, command.join(" "));
      }
    },
  };
}

export function boto3Check(tools: TenancyTools, found: Boto3): Check {
  const { site, bucket, one, other } = tools;
  return {
    name: `boto3 ${found.version} with tenants' keys, side by side`,
    async run() {
      const tenants = [one, other].map(({ name, keys }) => ({ name, keys }));
      const failures: string[] = [];
      await runPython(site, site.http, found, { script: "tenancy.py", more: { bucket, tenants } }, (outcome) => {
        if (!outcome.passed) failures.push(`${outcome.name}: ${outcome.reason}`);
      });
      assert.deepEqual(failures, []);
    },
  };
}

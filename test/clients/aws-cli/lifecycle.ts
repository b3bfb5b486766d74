// The AWS command line: a lifecycle configuration in AWS's own form, put unchanged.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import type { Check } from "../harness.ts";
import type { AwsCliTools } from "./tools.ts";

/** Output of `aws s3api get-bucket-lifecycle-configuration` for a bucket on AWS. */
const RULES = [
  {
    Expiration: { Days: 180 },
    ID: "archive, then end",
    Filter: { Prefix: "logs/" },
    Status: "Enabled",
    Transitions: [
      { Days: 30, StorageClass: "STANDARD_IA" },
      { Days: 90, StorageClass: "GLACIER" },
    ],
  },
  {
    ID: "old versions",
    Filter: {
      And: {
        Prefix: "",
        Tags: [
          { Key: "kind", Value: "draft" },
          { Key: "team", Value: "é & ü" },
        ],
        ObjectSizeGreaterThan: 1024,
      },
    },
    Status: "Disabled",
    NoncurrentVersionTransitions: [{ NoncurrentDays: 30, StorageClass: "GLACIER_IR", NewerNoncurrentVersions: 2 }],
    NoncurrentVersionExpiration: { NoncurrentDays: 90, NewerNoncurrentVersions: 5 },
  },
  {
    Expiration: { ExpiredObjectDeleteMarker: true },
    ID: "leftovers",
    Filter: {},
    Status: "Enabled",
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
  },
];

export function lifecycleCheck({ json, aws, bucket, folder }: AwsCliTools): Check {
  const place = ["--bucket", bucket];
  return {
    name: "`aws s3api put-bucket-lifecycle-configuration` takes AWS's JSON, which is then shown as it was",
    async run() {
      const file = join(folder, "lifecycle.json");
      writeFileSync(file, JSON.stringify({ Rules: RULES }));
      await json("put-bucket-lifecycle-configuration", ...place, "--lifecycle-configuration", `file://${file}`);
      const shown = await json("get-bucket-lifecycle-configuration", ...place);
      assert.deepEqual(at(shown, "Rules"), RULES);
      await json("put-object", ...place, "--key", "logs/today");
      const head = await json("head-object", ...place, "--key", "logs/today");
      assert.match(
        String(at(head, "Expiration")),
        /^expiry-date=".* 00:00:00 GMT", rule-id="archive%2C%20then%20end"$/,
      );
      await json("delete-object", ...place, "--key", "logs/today");
      await json("delete-bucket-lifecycle", ...place);
      await assert.rejects(
        aws("s3api", "get-bucket-lifecycle-configuration", ...place),
        /NoSuchLifecycleConfiguration/,
      );
    },
  };
}

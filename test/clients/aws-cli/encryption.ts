// The AWS command line: objects encrypted with a key that the client provides (SSE-C).
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import type { Check } from "../harness.ts";
import { assertSameBytes } from "../hashes.ts";
import type { AwsCliTools } from "./tools.ts";

/** No configuration file: parts and ranges of 8 MiB. */
const OWN_THRESHOLDS = { AWS_CONFIG_FILE: "/dev/null" };

export function encryptionCheck({ awsWith, json, bucket, site, folder }: AwsCliTools): Check {
  const [keyFile, otherFile] = [join(folder, "key"), join(folder, "other-key")];
  const own = (...argumentList: string[]) => awsWith(OWN_THRESHOLDS, "s3", "cp", "--only-show-errors", ...argumentList);
  return {
    name: "`aws s3 cp --sse-c` takes 25 MB there in parts, across to another key, and back in ranges, with the key alone",
    async run() {
      for (const file of [keyFile, otherFile]) writeFileSync(file, randomBytes(32));
      const [original, copy] = [`s3://${bucket}/sealed/original`, `s3://${bucket}/sealed/copy`];
      const target = join(folder, "sealed");
      await own(site.medium.file, original, ...withKey(keyFile));
      await own(original, copy, ...withKey(keyFile, "--sse-c-copy-source"), ...withKey(otherFile));
      await own(copy, target, ...withKey(otherFile));
      await assertSameBytes(target, site.medium);
      await assert.rejects(own(copy, target), /\(400\)/);
      await assert.rejects(own(copy, target, ...withKey(keyFile)), /\(403\)/);

      const place = ["--bucket", bucket, "--key", "sealed/original"];
      const key = ["--sse-customer-algorithm", "AES256", "--sse-customer-key", `fileb://${keyFile}`];
      const part = await json("get-object", ...place, ...key, "--range", "bytes=9000000-9000009", target);
      assert.equal(at(part, "SSECustomerAlgorithm"), "AES256");
      assert.deepEqual(readFileSync(target), readFileSync(site.medium.file).subarray(9_000_000, 9_000_010));
    },
  };
}

function withKey(file: string, prefix = "--sse-c"): string[] {
  return [prefix, "AES256", `${prefix}-key`, `fileb://${file}`];
}

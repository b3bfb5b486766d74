// The AWS command line: uploads and copies in parts with its default thresholds.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { at } from "../at.ts";
import type { Check } from "../harness.ts";
import { assertSameBytes } from "../hashes.ts";
import type { AwsCliTools } from "./tools.ts";

export function partChecks({ aws, awsWith, json, bucket, site, endpoint, folder }: AwsCliTools): Check[] {
  const uploaded: Check = {
    name: "`aws s3 cp` uploads 25 MB in parts by itself and downloads them as one object",
    async run() {
      const target = join(folder, "parts");
      await awsWith(OWN_THRESHOLDS, "s3", "cp", "--quiet", site.medium.file, `s3://${bucket}/parts/original`);
      const head = await json("head-object", "--bucket", bucket, "--key", "parts/original");
      assert.match(String(at(head, "ETag")), /^"[0-9a-f]{32}-3"$/);
      assert.equal(at(head, "ContentLength"), site.medium.size);
      await aws("s3", "cp", "--quiet", `s3://${bucket}/parts/original`, target);
      await assertSameBytes(target, site.medium);
    },
  };
  const copied: Check = {
    name: "`aws s3 cp` and `aws s3 mv` copy on the server, in one request and in parts",
    async run() {
      const target = join(folder, "copied");
      const [original, copy, moved] = ["original", "copy &+é", "moved"].map((key) => `s3://${bucket}/parts/${key}`);
      await awsWith(OWN_THRESHOLDS, "s3", "cp", "--quiet", original ?? "", copy ?? "");
      await aws("s3", "mv", "--quiet", copy ?? "", moved ?? "");
      await aws("s3", "cp", "--quiet", moved ?? "", target);
      await assertSameBytes(target, site.medium);
      await assert.rejects(aws("s3", "cp", copy ?? "", target), /\(404\)/);
    },
  };
  const own = (...argumentList: string[]) => awsWith(OWN_THRESHOLDS, "s3", ...argumentList);
  const synced: Check = {
    name: "`aws s3 sync` takes a tree with files in parts up, across and down, and `aws s3 mv` moves one in parts",
    async run() {
      const [from, back] = [join(folder, "tree"), join(folder, "tree-back")];
      mkdirSync(join(from, "below"), { recursive: true });
      copyFileSync(site.medium.file, join(from, "medium"));
      copyFileSync(site.medium.file, join(from, "below", "medium"));
      copyFileSync(site.mebibyte.file, join(from, "below", "mebibyte"));
      await own("sync", "--quiet", from, `s3://${bucket}/tree`);
      assert.equal(await own("sync", from, `s3://${bucket}/tree`), "", "a second sync finds nothing to do");
      await own("sync", "--quiet", `s3://${bucket}/tree`, `s3://${bucket}/across`);
      await own("mv", "--quiet", `s3://${bucket}/across/medium`, `s3://${bucket}/across/below/moved`);
      await own("sync", "--quiet", `s3://${bucket}/across`, back);
      assert.deepEqual(readdirSync(back), ["below"]);
      await assertSameBytes(join(back, "below", "moved"), site.medium);
      await assertSameBytes(join(back, "below", "medium"), site.medium);
      await assertSameBytes(join(back, "below", "mebibyte"), site.mebibyte);
    },
  };
  return endpoint.scheme === "http" ? [uploaded, copied, synced] : [uploaded];
}

/** No configuration file: parts of 8 MiB. */
const OWN_THRESHOLDS = { AWS_CONFIG_FILE: "/dev/null" };

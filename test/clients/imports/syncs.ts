// rclone and `aws s3 sync` carry the samples from one store to the next: out and back.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AwsCli } from "../aws-cli.ts";
import type { Check } from "../harness.ts";
import { outputOf } from "../run-command.ts";
import { clientEnvironment, newBucketName } from "../site.ts";
import { assertSamples, clientOf, fillBucket, SAMPLES, type ImportSite, type StoreSide } from "./sides.ts";

const TIMEOUT_MS = 120_000;

export function syncChecks(site: ImportSite, awsClis: readonly AwsCli[]): Check[] {
  return [rcloneCheck(site), ...awsClis.map((found) => awsCheck(site, found))];
}

function rcloneCheck(imports: ImportSite): Check {
  return {
    name: "rclone sync carries a bucket from s3rver over both Cairns and back",
    async run() {
      const { site, folder, first, cairn, s3rver } = imports;
      const remote = (name: string, { url, keys, region }: StoreSide): string =>
        [
          `[${name}]`,
          "type = s3",
          "provider = Other",
          `access_key_id = ${keys.accessKeyId}`,
          `secret_access_key = ${keys.secretAccessKey}`,
          `endpoint = ${url}`,
          `region = ${region}`,
          "force_path_style = true",
          "upload_cutoff = 5G",
          "",
        ].join("\n");
      const configuration = join(folder, "rclone.conf");
      writeFileSync(
        configuration,
        [remote("foreign", s3rver), remote("first", first), remote("other", cairn)].join("\n"),
      );
      const { AWS_CA_BUNDLE: _, ...env } = clientEnvironment(site, folder);
      const rclone = async (...argumentList: readonly string[]): Promise<string> =>
        // Cairn adds `no-transform` to the Cache-Control for clients that accept compressed answers.
        outputOf(
          "/usr/bin/rclone",
          ["--config", configuration, "--header", "Accept-Encoding: identity", ...argumentList],
          {
            env,
            timeoutMs: TIMEOUT_MS,
          },
        );
      const bucket = newBucketName("sync");
      await fillBucket(clientOf(s3rver), bucket);
      const places = [`foreign:${bucket}`, `first:${bucket}`, `other:${bucket}`, `foreign:${bucket}-back`];
      for (const [index, to] of places.entries()) {
        const from = places[index - 1];
        if (from === undefined) continue;
        await rclone("sync", from, to, "--checksum", "--metadata");
        await rclone("check", from, to);
      }
      await assertSamples(clientOf(first), bucket);
      await assertSamples(clientOf(cairn), bucket);
      await assertSamples(clientOf(s3rver), `${bucket}-back`);
    },
  };
}

function awsCheck(imports: ImportSite, { program, version }: AwsCli): Check {
  return {
    name: `aws s3 sync of aws-cli ${version} carries a bucket from s3rver over both Cairns and back`,
    async run() {
      const { site, folder, first, cairn, s3rver } = imports;
      const bucket = newBucketName("sync");
      await fillBucket(clientOf(s3rver), bucket);
      const aws = async ({ url, keys, region }: StoreSide, ...argumentList: readonly string[]): Promise<string> => {
        const { AWS_CA_BUNDLE: _, ...environment } = clientEnvironment(site, folder);
        const env = {
          ...environment,
          AWS_ACCESS_KEY_ID: keys.accessKeyId,
          AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
          AWS_DEFAULT_REGION: region,
          AWS_REQUEST_CHECKSUM_CALCULATION: "when_required",
        };
        return outputOf(program, ["--endpoint-url", url, "s3", ...argumentList], { env, timeoutMs: TIMEOUT_MS });
      };
      const disk = join(folder, `disk-${bucket}`);
      mkdirSync(disk);
      let from = s3rver;
      let name = bucket;
      for (const [to, target] of [
        [first, bucket],
        [cairn, bucket],
        [s3rver, `${bucket}-back`],
      ] as const) {
        await aws(from, "sync", "--quiet", "--delete", `s3://${name}`, disk);
        await clientOf(to).createBucket({ Bucket: target });
        await aws(to, "sync", "--quiet", disk, `s3://${target}`);
        const { Contents = [] } = await clientOf(to).listObjectsV2({ Bucket: target });
        const found = Contents.map(({ Key, Size }) => `${Key} ${Size}`);
        assert.deepEqual(new Set(found), new Set(SAMPLES.map(({ key, body }) => `${key} ${body.length}`)));
        [from, name] = [to, target];
      }
    },
  };
}

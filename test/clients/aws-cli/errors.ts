// The AWS command line: presigned URLs, bulk deletion, and its error messages.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { at } from "../at.ts";
import { curlFor } from "../curl-command.ts";
import type { Check } from "../harness.ts";
import type { AwsCliTools } from "./tools.ts";

export function errorChecks(tools: AwsCliTools): Check[] {
  return [presignCheck(tools), bulkDeletionCheck(tools), ...refusalChecks(tools)];
}

function presignCheck({ aws, bucket, site, folder }: AwsCliTools): Check {
  return {
    name: "a URL from `aws s3 presign` reads the object until it expires, and nothing else",
    async run() {
      const curl = curlFor(site, folder);
      const place = `s3://${bucket}/sha red+é`;
      await aws("s3", "cp", "--quiet", site.mebibyte.file, place);
      const url = (await aws("s3", "presign", place, "--expires-in", "60")).trim();
      const got = await curl(url, "--range", "0-9");
      assert.equal(got.status, 206);
      assert.equal(got.headers.get("content-range"), `bytes 0-9/${site.mebibyte.size}`);
      const tampered = await curl(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"));
      assert.equal(tampered.status, 403);
      assert.match(tampered.body, /<Code>SignatureDoesNotMatch<\/Code>/);
      const short = (await aws("s3", "presign", place, "--expires-in", "1")).trim();
      await sleep(2100);
      const expired = await curl(short);
      assert.equal(expired.status, 403);
      assert.match(expired.body, /<Code>AccessDenied<\/Code><Message>Request has expired</);
    },
  };
}

function bulkDeletionCheck({ json, bucket, site }: AwsCliTools): Check {
  return {
    name: "delete-objects deletes, reports missing keys as deleted, and with Quiet reports nothing",
    async run() {
      await json("put-object", "--bucket", bucket, "--key", "bulk &1", "--body", site.mebibyte.file);
      const remove = (quiet: boolean) =>
        json(
          "delete-objects",
          "--bucket",
          bucket,
          "--delete",
          JSON.stringify({ Objects: [{ Key: "bulk &1" }, { Key: "nope" }], Quiet: quiet }),
        );
      assert.deepEqual(at(await remove(false), "Deleted"), [{ Key: "bulk &1" }, { Key: "nope" }]);
      assert.equal(at(await remove(true), "Deleted"), undefined);
    },
  };
}

function refusalChecks({ aws, awsWith, bucket }: AwsCliTools): Check[] {
  const refusal = (code: string, message: string, ...command: string[]): Check => ({
    name: `${code} is reported with its message by \`aws ${command.slice(0, 2).join(" ")}\``,
    run: () => assert.rejects(aws(...command), new RegExp(`\\(${code}\\).*: ${message}`, "s")),
  });
  const at = ["--bucket", bucket, "--key", "never-put"];
  return [
    refusal("NoSuchBucket", "The specified bucket does not exist", "s3", "ls", `s3://${bucket}-absent`),
    refusal("NoSuchKey", "The specified key does not exist", "s3api", "get-object", ...at, "/dev/null"),
    refusal(
      "BucketAlreadyOwnedByYou",
      "Your previous request",
      "s3api",
      "create-bucket",
      "--bucket",
      bucket,
      "--create-bucket-configuration",
      "LocationConstraint=EU",
    ),
    refusal("InvalidBucketName", "The specified bucket is not valid", "s3api", "create-bucket", "--bucket", "cw-x"),
    refusal("NotImplemented", "\\S", "s3api", "get-object-torrent", ...at, "/dev/null"),
    {
      name: "SignatureDoesNotMatch and InvalidAccessKeyId distinguish a wrong secret from an unknown key",
      async run() {
        await assert.rejects(
          awsWith({ AWS_SECRET_ACCESS_KEY: "x" }, "s3", "ls"),
          /\(SignatureDoesNotMatch\).*: The request signature we calculated/s,
        );
        await assert.rejects(
          awsWith({ AWS_ACCESS_KEY_ID: "AKIAUNKNOWN" }, "s3", "ls"),
          /\(InvalidAccessKeyId\).*: The AWS Access Key Id you provided does not exist/s,
        );
      },
    },
  ];
}

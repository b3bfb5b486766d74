// The AWS command line: Debian's, and a newer one where the machine has it.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { at } from "./at.ts";
import { encryptionCheck } from "./aws-cli/encryption.ts";
import { errorChecks } from "./aws-cli/errors.ts";
import { lifecycleCheck } from "./aws-cli/lifecycle.ts";
import { partChecks } from "./aws-cli/parts.ts";
import { permissionChecks } from "./aws-cli/permissions.ts";
import { awsCliTools, type AwsCliTools } from "./aws-cli/tools.ts";
import { bodyChecks, readingChecks, writingChecks } from "./aws-cli/writing.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { LISTING_BUCKET, LISTING_KEYS } from "./listing-fixture.ts";
import { bodyOfKey, ODD_FILE_NAMES } from "./odd-keys.ts";
import { runCommand } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newFolder, type Site } from "./site.ts";

/** A program of the AWS command line. */
export interface AwsCli {
  readonly program: string;
  readonly version: string;
}

/** The version of a program; undefined if it is not installed. */
export async function findAwsCli(site: Site, program: string): Promise<AwsCli | undefined> {
  const env = clientEnvironment(site, newFolder(site, "aws"));
  const { stdout } = await runCommand(program, ["--version"], { env }).catch(() => ({ stdout: "" }));
  const version = /^aws-cli\/(\S+)/.exec(stdout)?.[1];
  return version === undefined ? undefined : { program, version };
}

/**
 * The command line's checks at one endpoint. A start of the program takes most of a second, so all of them are made once,
 * for the version that `isFirst`. Another version and TLS run only the checks whose result may differ.
 */
export function awsCli(site: Site, endpoint: Endpoint, { program, version }: AwsCli, isFirst: boolean): Suite {
  const tools = awsCliTools(site, endpoint, program);
  const client = `aws-cli ${version} (${endpoint.scheme})`;
  const isOld = !isNew(version);
  const bodies = [bucketCheck(tools), ...bodyChecks(tools)];
  if (endpoint.scheme === "https") {
    // Without checksum trailers there is little that TLS changes.
    const checks = isOld ? bodies : [...bodies, ...writingChecks(tools, isOld), ...partChecks(tools)];
    return suiteOf(client, [...checks, encryptionCheck(tools)]);
  }
  const differing = [...bodies, ...writingChecks(tools, isOld), ...partChecks(tools), oddFilesCheck(tools)];
  if (!isFirst) return suiteOf(client, [...differing, removalCheck(tools)]);
  const others = [...readingChecks(tools), configureCheck(tools), oddKeysCheck(tools), listingCheck(tools)];
  return suiteOf(client, [
    ...differing,
    ...others,
    lifecycleCheck(tools),
    ...permissionChecks(tools),
    ...errorChecks(tools),
    removalCheck(tools),
  ]);
}

/** Whether a version knows conditional writes, CRC64NVME and checksum trailers. */
function isNew(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return minor >= (major === 1 ? 36 : 23);
}

function bucketCheck({ aws, json, bucket }: AwsCliTools): Check {
  return {
    name: "a bucket is made, listed and located",
    async run() {
      assert.match(await aws("s3", "mb", `s3://${bucket}`), /make_bucket/);
      assert.match(await aws("s3", "ls"), new RegExp(` ${bucket}$`, "m"));
      assert.equal(at(await json("get-bucket-location", "--bucket", bucket), "LocationConstraint"), "auto");
    },
  };
}

function configureCheck({ aws }: AwsCliTools): Check {
  return {
    name: "`aws configure set default.s3.signature_version s3v4` changes nothing",
    async run() {
      await aws("configure", "set", "default.s3.signature_version", "s3v4");
      await aws("s3", "ls");
    },
  };
}

function oddKeysCheck({ aws, json, bucket, folder }: AwsCliTools): Check {
  return {
    name: "an odd key addresses one object in put-object, get-object, list-objects-v2 and delete-object",
    async run() {
      const keys = ["../lead//b %2F+é"];
      const body = join(folder, "odd-body");
      const target = join(folder, "odd-target");
      for (const key of keys) {
        writeFileSync(body, bodyOfKey(key));
        await json("put-object", "--bucket", bucket, "--key", key, "--body", body);
      }
      for (const key of keys) {
        await aws("s3api", "get-object", "--bucket", bucket, "--key", key, target);
        assert.equal(readFileSync(target, "utf8"), bodyOfKey(key));
        const listed = await json("list-objects-v2", "--bucket", bucket, "--prefix", key);
        assert.equal(at(listed, "Contents", 0, "Key"), key);
        await json("delete-object", "--bucket", bucket, "--key", key);
        assert.equal(at(await json("list-objects-v2", "--bucket", bucket, "--prefix", key), "Contents"), undefined);
      }
    },
  };
}

function oddFilesCheck({ aws, json, bucket, folder }: AwsCliTools): Check {
  return {
    name: "`aws s3 sync` takes a folder of oddly named files there and back",
    async run() {
      const [from, back] = [join(folder, "odd"), join(folder, "odd-back")];
      for (const name of ODD_FILE_NAMES) {
        mkdirSync(dirname(join(from, name)), { recursive: true });
        writeFileSync(join(from, name), bodyOfKey(name));
      }
      await aws("s3", "sync", "--quiet", from, `s3://${bucket}/odd`);
      const listed = await json("list-objects-v2", "--bucket", bucket, "--prefix", "odd/", "--query", "Contents[].Key");
      const sorted = ODD_FILE_NAMES.map((name) => `odd/${name}`).toSorted((a, b) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      );
      assert.deepEqual(listed, sorted);
      await aws("s3", "sync", "--quiet", `s3://${bucket}/odd`, back);
      for (const name of ODD_FILE_NAMES) assert.equal(readFileSync(join(back, name), "utf8"), bodyOfKey(name));
      assert.equal(await aws("s3", "sync", from, `s3://${bucket}/odd`), "", "a second sync finds nothing to do");
      copyFileSync(join(from, "a b"), join(from, "added"));
      assert.match(await aws("s3", "sync", from, `s3://${bucket}/odd`), /^upload: .*added/m);
    },
  };
}

function listingCheck({ aws, json }: AwsCliTools): Check {
  const list = (command: string, ...options: string[]) => json(command, "--bucket", LISTING_BUCKET, ...options);
  return {
    name: "2,500 keys are listed as a whole, by `aws s3 ls`, by prefix, delimiter, start-after and page",
    async run() {
      assert.deepEqual(await list("list-objects-v2", "--query", "Contents[].Key"), LISTING_KEYS);
      assert.match(await aws("s3", "ls", "--recursive", "--summarize", `s3://${LISTING_BUCKET}`), /Objects: 2500\s/);
      const trees = await list("list-objects-v2", "--prefix", "tree/", "--delimiter", "/", "--page-size", "77");
      assert.equal(at(trees, "CommonPrefixes", "length"), 300);
      const first = await list("list-objects-v2", "--no-paginate", "--start-after", "flat/1000");
      assert.equal(at(first, "KeyCount"), 1000);
      assert.equal(at(first, "Contents", 0, "Key"), "flat/1001");
      const token = String(at(first, "NextContinuationToken"));
      const second = await list("list-objects-v2", "--no-paginate", "--continuation-token", token);
      assert.equal(at(second, "Contents", 0, "Key"), LISTING_KEYS[LISTING_KEYS.indexOf("flat/1000") + 1001]);
    },
  };
}

function removalCheck({ aws, bucket, site }: AwsCliTools): Check {
  return {
    name: "`aws s3 rb` refuses a bucket that is not empty, and takes it once `aws s3 rm --recursive` has emptied it",
    async run() {
      await aws("s3", "cp", "--quiet", site.mebibyte.file, `s3://${bucket}/occupant`);
      await assert.rejects(aws("s3", "rb", `s3://${bucket}`), /BucketNotEmpty.*The bucket you tried to delete/s);
      await aws("s3", "rm", "--quiet", "--recursive", `s3://${bucket}`);
      assert.match(await aws("s3", "rb", `s3://${bucket}`), /remove_bucket/);
    },
  };
}

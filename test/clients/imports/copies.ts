// `npm run import` between stores: whole copies, repetitions, comparisons and failures.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Check } from "../harness.ts";
import { describe, runCommand, type CommandResult } from "../run-command.ts";
import { clientEnvironment, newBucketName } from "../site.ts";
import { assertSamples, clientOf, fillBucket, SAMPLES, type ImportSite, type StoreSide } from "./sides.ts";

const SCRIPT = resolve(import.meta.dirname, "..", "..", "..", "scripts", "import.ts");
const TIMEOUT_MS = 120_000;

type RunImport = (
  from: StoreSide,
  to: StoreSide,
  buckets: readonly [from: string, to: string],
  ...more: readonly string[]
) => Promise<CommandResult>;

export function copyChecks(site: ImportSite, stores: readonly StoreSide[]): Check[] {
  const run = importer(site);
  return [...stores.map((store) => copyCheck(site, run, store)), missingCheck(site, run), failureCheck(site, run)];
}

function importer({ site, folder }: ImportSite): RunImport {
  return async (from, to, [source, target], ...more) => {
    const env = {
      ...clientEnvironment(site, folder),
      IMPORT_FROM_ACCESS_KEY_ID: from.keys.accessKeyId,
      IMPORT_FROM_SECRET_ACCESS_KEY: from.keys.secretAccessKey,
      IMPORT_TO_ACCESS_KEY_ID: to.keys.accessKeyId,
      IMPORT_TO_SECRET_ACCESS_KEY: to.keys.secretAccessKey,
    };
    const places = [`s3://${source}`, "--from", from.url, "--to", `${to.url}/${target}`];
    const regions = [
      "--from-region",
      from.region,
      "--to-region",
      to.region,
      "--state",
      join(folder, `${target}.state`),
    ];
    const all = [SCRIPT, ...places, ...regions, ...more];
    return runCommand(process.execPath, all, { env, cwd: folder, timeoutMs: TIMEOUT_MS });
  };
}

function copyCheck(site: ImportSite, run: RunImport, store: StoreSide): Check {
  return {
    name: `npm run import copies a bucket from ${store.upstream} and back, continues, and compares`,
    async run() {
      const [there, here] = [clientOf(store), clientOf(site.first)];
      const [source, bucket, back] = [newBucketName("source"), newBucketName("copy"), newBucketName("back")];
      await fillBucket(there, source);
      await here.createBucket({ Bucket: bucket });
      await there.createBucket({ Bucket: back });
      const copied = await run(store, site.first, [source, bucket], "--no-mtime");
      assert.equal(copied.code, 0, describe(copied));
      assert.match(copied.stdout, new RegExp(`^${SAMPLES.length} copied .* 0 failed$`, "m"));
      await assertSamples(here, bucket);
      // The state file is cut off in the middle of its last line, as by a power cut.
      const state = join(site.folder, `${bucket}.state`);
      writeFileSync(state, readFileSync(state, "utf8").slice(0, -10));
      const again = await run(store, site.first, [source, bucket], "--no-mtime");
      assert.match(again.stdout, new RegExp(`^0 copied .* ${SAMPLES.length} skipped, 0 different, 0 failed$`, "m"));
      const returned = await run(site.first, store, [bucket, back], "--no-mtime");
      assert.equal(returned.code, 0, describe(returned));
      await assertSamples(there, back);
      const equal = await run(store, site.first, [source, bucket], "--no-mtime", "--verify");
      assert.equal(equal.code, 0, describe(equal));
      await here.putObject({ Bucket: bucket, Key: "empty", Body: "changed" });
      await here.deleteObject({ Bucket: bucket, Key: "large" });
      const different = await run(store, site.first, [source, bucket], "--no-mtime", "--verify");
      assert.equal(different.code, 1, describe(different));
      assert.match(different.stderr, /^different: empty: .*etag, size/m);
      assert.match(different.stderr, /^different: large: 1 versions there, 0 here$/m);
    },
  };
}

function missingCheck(site: ImportSite, run: RunImport): Check {
  return {
    name: "npm run import --missing-only replaces nothing, and a prefix copies a part",
    async run() {
      const [there, here] = [clientOf(site.cairn), clientOf(site.first)];
      const [source, bucket] = [newBucketName("source"), newBucketName("copy")];
      await fillBucket(there, source);
      await here.createBucket({ Bucket: bucket });
      await here.putObject({ Bucket: bucket, Key: "folder/described.txt", Body: "own" });
      const copied = await run(site.cairn, site.first, [`${source}/folder/`, bucket], "--missing-only");
      assert.equal(copied.code, 0, describe(copied));
      const own = await here.getObject({ Bucket: bucket, Key: "folder/described.txt" });
      assert.equal(await own.Body?.transformToString(), "own");
      const { Contents = [] } = await here.listObjectsV2({ Bucket: bucket });
      assert.equal(Contents.length, SAMPLES.filter(({ key }) => key.startsWith("folder/")).length);
    },
  };
}

function failureCheck(site: ImportSite, run: RunImport): Check {
  return {
    name: "npm run import names what failed and why, and exits with 1, or with 2 for a wrong command line",
    async run() {
      const [there, here] = [clientOf(site.cairn), clientOf(site.first)];
      const [source, bucket] = [newBucketName("source"), newBucketName("copy")];
      await fillBucket(there, source);
      await here.createBucket({ Bucket: bucket });
      const Policy = JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/folder/*` },
        ],
      });
      await here.putBucketPolicy({ Bucket: bucket, Policy });
      const result = await run(site.cairn, site.first, [source, bucket]);
      assert.equal(result.code, 1, describe(result));
      assert.match(result.stderr, /^failed: folder\/described\.txt: PUT: 403 AccessDenied$/m);
      assert.match(result.stdout, /^2 copied .* 3 failed$/m);
      const missing = await run(site.cairn, site.first, ["no-such-bucket-here", bucket]);
      assert.equal(missing.code, 2, describe(missing));
      assert.match(missing.stderr, /404 NoSuchBucket/);
      const wrong = await run(site.cairn, site.first, [source, bucket], "--concurrency", "many");
      assert.equal(wrong.code, 2, describe(wrong));
    },
  };
}

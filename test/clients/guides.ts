// The commands of the guides, word for word: each page's blocks are one script of a shell, run against a served Cairn.
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { blocksFor, type Guide } from "../project/guide-blocks.ts";
import type { AwsCli } from "./aws-cli.ts";
import type { Boto3 } from "./boto3.ts";
import { startCairn } from "./cairn-process.ts";
import { checkDocuments, checkObjects, fillSource, sideOf, SOURCE_CREDENTIALS } from "./guides/migration.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { describe, runCommand, type CommandResult } from "./run-command.ts";
import {
  clientEnvironment,
  DOMAIN,
  endpointAt,
  newBucketName,
  newFolder,
  type Credentials,
  type Site,
} from "./site.ts";

const TIMEOUT_MS = 600_000;
const PROJECT = resolve(import.meta.dirname, "..", "..");

/** The programs that a page's commands find on their PATH. */
interface Programs {
  readonly aws: AwsCli;
  readonly boto3: Boto3;
}

/** The checks of the guides' commands, the migration with each version of aws-cli and boto3. */
export function guides(site: Site, awsClis: readonly AwsCli[], boto3s: readonly Boto3[]): Suite {
  const [aws, boto3] = [awsClis[0], boto3s[0]];
  if (aws === undefined || boto3 === undefined) throw new Error("aws-cli and boto3 are needed for the guides");
  const pairs = Array.from({ length: Math.max(awsClis.length, boto3s.length) }, (_, index) => ({
    aws: awsClis[index] ?? aws,
    boto3: boto3s[index] ?? boto3,
  }));
  return suiteOf("guides", [
    plainCheck(site, "clients", { aws, boto3 }, / guide-/),
    plainCheck(site, "domains", { aws, boto3 }, /<Code>AccessDenied<\/Code>/),
    ...pairs.map((programs) => migrationCheck(site, programs)),
  ]);
}

/** Runs a page with an empty bucket; its output must match. */
function plainCheck(site: Site, guide: Guide, programs: Programs, output: RegExp): Check {
  return {
    name: `the commands of docs/${guide}.md succeed`,
    async run() {
      const bucket = newBucketName("guide");
      const { host, url } = site.http;
      await sideOf(site.http, site.credentials).createBucket({ Bucket: bucket });
      const page = newPage(site, guide, programs, [site.credentials]);
      const result = await page.run({
        "localhost:9000": host,
        "my-bucket": bucket,
        "s3.example.com": DOMAIN,
        ":9000": `:${new URL(url).port}`,
      });
      assert.equal(result.code, 0, describe(result));
      assert.match(result.stdout, output);
    },
  };
}

function migrationCheck(site: Site, programs: Programs): Check {
  const { aws, boto3 } = programs;
  return {
    name: `the commands of docs/migration.md carry a bucket over and back, with aws-cli ${aws.version} and boto3 ${boto3.version}`,
    async run() {
      const state = join(newFolder(site, "migration"), "state");
      const cairn = await startCairn({ state, credentials: SOURCE_CREDENTIALS });
      try {
        const bucket = newBucketName("moved");
        const source = sideOf(endpointAt(cairn.url), SOURCE_CREDENTIALS);
        const target = sideOf(site.http, site.credentials);
        await fillSource(source, bucket);
        const page = newPage(site, "migration", programs, [SOURCE_CREDENTIALS, site.credentials]);
        const fillings = {
          "https://s3.eu-central-1.amazonaws.com": cairn.url,
          "https://s3.example.com": site.http.url,
          "my-bucket": bucket,
        };
        const result = await page.run(fillings);
        assert.equal(result.code, 0, describe(result));
        await checkObjects(target, bucket);
        await checkDocuments(target, bucket);
        await checkObjects(source, `${bucket}-back`);
        // The comparison notices what is changed or missing.
        await target.putObject({ Bucket: bucket, Key: "tagged", Body: "changed" });
        const compare = blocksFor("migration", "served").find(
          ({ text }) => text.startsWith("npm run import") && text.includes("--verify"),
        );
        const different = await page.run(fillings, compare?.text.split("\n")[0] ?? "");
        assert.equal(different.code, 1, describe(different));
        assert.match(different.stderr, /^different: tagged: 1 versions there, 2 here$/m);
      } finally {
        await cairn.stop();
      }
    },
  };
}

interface Page {
  /** Runs the page's blocks, or after its first one `instead`, with texts replaced as a reader replaces them. */
  run(fillings: Readonly<Record<string, string>>, instead?: string): Promise<CommandResult>;
}

/** A page in a folder of its own. Each pair of `…` is replaced by the next credentials, in turn. */
function newPage(site: Site, guide: Guide, { aws, boto3 }: Programs, credentials: readonly Credentials[]): Page {
  const folder = newFolder(site, `guide-${guide}`);
  const programs = join(folder, "bin");
  mkdirSync(programs);
  for (const name of ["scripts", "package.json", "node_modules"]) symlinkSync(join(PROJECT, name), join(folder, name));
  const {
    AWS_ACCESS_KEY_ID: _id,
    AWS_SECRET_ACCESS_KEY: _secret,
    AWS_CA_BUNDLE: _ca,
    ...env
  } = clientEnvironment(site, folder);
  for (const [name, program] of [
    ["aws", aws.program],
    ["python3", boto3.python],
  ] as const)
    writeFileSync(join(programs, name), `#!/bin/sh\nPATH="${env["PATH"] ?? ""}" exec "${program}" "$@"\n`, {
      mode: 0o755,
    });
  return {
    run(fillings, instead) {
      const blocks = blocksFor(guide, "served");
      const chosen = instead === undefined ? blocks : [...blocks.slice(0, 1), { text: instead, line: 0 }];
      const values = credentials.flatMap(({ accessKeyId, secretAccessKey }) => [accessKeyId, secretAccessKey]);
      let used = 0;
      const script = chosen.map(({ text, line }) => {
        const filled = Object.entries(fillings).reduce((filling, [from, to]) => filling.replaceAll(from, to), text);
        return `echo "line ${line} of the page" >&2\n${filled.replaceAll("…", () => values[used++ % values.length] ?? "")}`;
      });
      writeFileSync(join(folder, "commands"), script.join("\n"));
      return runCommand("/bin/bash", ["-eu", "commands"], {
        env: { ...env, PATH: `${programs}:${env["PATH"] ?? ""}`, RCLONE_CONFIG: join(folder, "rclone.conf") },
        cwd: folder,
        timeoutMs: TIMEOUT_MS,
      });
    },
  };
}

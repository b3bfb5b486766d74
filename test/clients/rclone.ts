// rclone: folders uploaded and downloaded, compared by size, modification time and hash.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { assertSameBytes } from "./hashes.ts";
import { listKeys, newClient } from "./javascript/tools.ts";
import { LISTING_BUCKET } from "./listing-fixture.ts";
import { bodyOfKey, ODD_FILE_NAMES } from "./odd-keys.ts";
import { outputOf } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

interface RcloneTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly bucket: string;
  readonly folder: string;
  /** Runs a command that must succeed; returns its output. */
  readonly rclone: (...argumentList: readonly string[]) => Promise<string>;
}

const TIMEOUT_MS = 120_000;

/** rclone's checks at one endpoint. */
export function rclone(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "rclone");
  const configuration = join(folder, "rclone.conf");
  const { accessKeyId, secretAccessKey } = site.credentials;
  const remote = (name: string, secret: string, ...more: readonly string[]) => [
    `[${name}]`,
    "type = s3",
    "provider = Other",
    `access_key_id = ${accessKeyId}`,
    `secret_access_key = ${secret}`,
    `endpoint = ${endpoint.url}`,
    `region = ${site.region}`,
    "force_path_style = true",
    "upload_cutoff = 5G",
    "no_check_bucket = true",
    ...more,
    "",
  ];
  const sealing = ["sse_customer_algorithm = AES256", `sse_customer_key = ${randomBytes(16).toString("hex")}`];
  const remotes = [
    ...remote("cairn", secretAccessKey),
    ...remote("wrong", "wrong"),
    ...remote("sealed", secretAccessKey, ...sealing),
  ];
  writeFileSync(configuration, remotes.join("\n"));
  const options = ["--config", configuration, "--ca-cert", site.caFile, "--retries", "1", "--low-level-retries", "1"];
  // rclone reads the certificate from its own option, and refuses a second one.
  const { AWS_CA_BUNDLE: _, ...env } = clientEnvironment(site, folder);
  const tools: RcloneTools = {
    site,
    endpoint,
    bucket: newBucketName("rclone"),
    folder,
    rclone: (...argumentList) =>
      outputOf("/usr/bin/rclone", [...options, ...argumentList], {
        env,
        timeoutMs: TIMEOUT_MS,
      }),
  };
  const always = [bucketCheck(tools), bodiesCheck(tools)];
  // Without TLS it sends no keys.
  if (endpoint.scheme === "https") return suiteOf("rclone (https)", [...always, encryptionCheck(tools)]);
  const others = [
    oddFilesCheck,
    partsCheck,
    syncCheck,
    touchCheck,
    readingCheck,
    listingCheck,
    deletionCheck,
    refusalCheck,
  ];
  return suiteOf("rclone (http)", [...always, ...others.map((check) => check(tools))]);
}

function bucketCheck({ rclone, bucket }: RcloneTools): Check {
  return {
    name: "mkdir creates a bucket that lsd lists",
    async run() {
      // With `no_check_bucket`, as people set it for everything else, mkdir does nothing.
      await rclone("mkdir", "--s3-no-check-bucket=false", `cairn:${bucket}`);
      assert.match(await rclone("lsd", "cairn:"), new RegExp(` ${bucket}$`, "m"));
    },
  };
}

function bodiesCheck({ rclone, bucket, folder, site }: RcloneTools): Check {
  return {
    name: "copy uploads and downloads bodies of 0 B to 100 MB, and check finds no difference",
    async run() {
      const [from, back] = [join(folder, "bodies"), join(folder, "bodies-back")];
      mkdirSync(from);
      const bodies = [...site.bodies, site.mebibyte, site.large];
      for (const { file, size } of bodies) copyFileSync(file, join(from, String(size)));
      await rclone("copy", from, `cairn:${bucket}/bodies`);
      await rclone("check", from, `cairn:${bucket}/bodies`);
      const sums = await rclone("md5sum", `cairn:${bucket}/bodies`);
      for (const { md5, size } of bodies) assert.ok(sums.includes(`${md5}  ${size}\n`), sums);
      await rclone("copy", `cairn:${bucket}/bodies`, back);
      for (const body of bodies) await assertSameBytes(join(back, String(body.size)), body);
    },
  };
}

function oddFilesCheck({ rclone, bucket, folder, site, endpoint }: RcloneTools): Check {
  return {
    name: "oddly named files are copied under their own names",
    async run() {
      const [from, back] = [join(folder, "odd"), join(folder, "odd-back")];
      for (const name of ODD_FILE_NAMES) {
        mkdirSync(dirname(join(from, name)), { recursive: true });
        writeFileSync(join(from, name), bodyOfKey(name));
      }
      await rclone("copy", from, `cairn:${bucket}/odd`);
      const listed = await listKeys({ site, endpoint, bucket, client: newClient(site, endpoint) }, "odd/");
      assert.deepEqual(listed, ODD_FILE_NAMES.map((name) => `odd/${name}`).toSorted(byBytes));
      await rclone("check", "--download", from, `cairn:${bucket}/odd`);
      await rclone("copy", `cairn:${bucket}/odd`, back);
      for (const name of ODD_FILE_NAMES) assert.equal(readFileSync(join(back, name), "utf8"), bodyOfKey(name));
    },
  };
}

function partsCheck({ rclone, bucket, folder, site }: RcloneTools): Check {
  return {
    name: "a file is uploaded in parts, copied and moved on the server, and touched without being sent again",
    async run() {
      const at = `cairn:${bucket}/parts`;
      const target = join(folder, "parts-back");
      await rclone("copyto", "--s3-upload-cutoff=5M", "--s3-chunk-size=5M", site.medium.file, `${at}/original`);
      await rclone("copyto", `${at}/original`, `${at}/copy &+é`);
      await rclone("moveto", `${at}/copy &+é`, `${at}/moved`);
      assert.equal(await rclone("lsf", at), "moved\noriginal\n");
      await rclone("touch", "--timestamp", "2020-01-02T03:04:05", `${at}/moved`);
      assert.match(await rclone("lsl", `${at}/moved`), / 2020-01-02 03:04:05/);
      await rclone("copyto", `${at}/moved`, target);
      await assertSameBytes(target, site.medium);
      await rclone("delete", at);
    },
  };
}

function encryptionCheck({ rclone, bucket, folder, site }: RcloneTools): Check {
  return {
    name: "a remote with sse_customer_key uploads and downloads files, also in parts, and no other remote reads them",
    async run() {
      const [from, to, back] = [join(folder, "plain"), `sealed:${bucket}/sealed`, join(folder, "unsealed")];
      mkdirSync(from);
      for (const { file, size } of [site.mebibyte, site.medium]) copyFileSync(file, join(from, String(size)));
      await rclone("copy", "--s3-upload-cutoff=5M", "--s3-chunk-size=5M", from, to);
      await rclone("check", "--download", from, to);
      await rclone("copyto", `${to}/${site.medium.size}`, `${to}/copy`);
      await rclone("copyto", "--multi-thread-streams=4", "--multi-thread-cutoff=1M", `${to}/copy`, back);
      await assertSameBytes(back, site.medium);
      assert.equal(await rclone("lsf", `cairn:${bucket}/sealed`), `${site.mebibyte.size}\n${site.medium.size}\ncopy\n`);
      await assert.rejects(
        rclone("cat", "--include", "copy", `cairn:${bucket}/sealed`),
        /InvalidRequest: The object was stored/,
      );
    },
  };
}

function syncCheck({ rclone, bucket, folder }: RcloneTools): Check {
  return {
    name: "sync transfers new and changed files, deletes missing ones and leaves the rest unchanged",
    async run() {
      const from = join(folder, "synced");
      mkdirSync(from);
      for (const name of ["kept", "changed", "gone"]) writeFileSync(join(from, name), name);
      const to = `cairn:${bucket}/synced`;
      await rclone("sync", from, to);
      writeFileSync(join(from, "changed"), "changed, and longer");
      writeFileSync(join(from, "added"), "added");
      rmSync(join(from, "gone"));
      await rclone("sync", from, to);
      assert.equal(await rclone("lsf", to), "added\nchanged\nkept\n");
      assert.equal(await rclone("cat", `${to}/changed`), "changed, and longer");
      const before = await rclone("lsl", to);
      await rclone("sync", from, to);
      assert.equal(await rclone("lsl", to), before);
    },
  };
}

function touchCheck({ rclone, bucket, folder, site }: RcloneTools): Check {
  return {
    name: "sync of touched files, one of them in parts, updates their times on the server and sends nothing",
    async run() {
      const [from, log] = [join(folder, "touched"), join(folder, "touched.log")];
      const to = `cairn:${bucket}/touched`;
      mkdirSync(from);
      copyFileSync(site.medium.file, join(from, "medium"));
      writeFileSync(join(from, "small"), "small");
      const parts = ["--s3-upload-cutoff=5M", "--s3-chunk-size=5M"];
      await rclone("sync", ...parts, from, to);
      const touched = new Date("2020-01-02T03:04:05Z");
      for (const name of ["medium", "small"]) utimesSync(join(from, name), touched, touched);
      await rclone("sync", ...parts, "--verbose", `--log-file=${log}`, from, to);
      const logged = readFileSync(log, "utf8");
      assert.equal(logged.match(/Updated modification time/g)?.length, 2, logged);
      assert.doesNotMatch(logged, /: Copied/);
      assert.equal(await rclone("lsl", to), await rclone("lsl", from));
      await rclone("check", "--download", from, to);
      await rclone("delete", to);
    },
  };
}

function readingCheck({ rclone, bucket, folder }: RcloneTools): Check {
  return {
    name: "cat reads a part of an object, and modification times are those of the files",
    async run() {
      const file = join(folder, "timed");
      writeFileSync(file, "0123456789");
      await rclone("copyto", file, `cairn:${bucket}/timed`);
      assert.equal(await rclone("cat", "--offset", "3", "--count", "4", `cairn:${bucket}/timed`), "3456");
      const local = await rclone("lsl", file);
      assert.equal(await rclone("lsl", `cairn:${bucket}/timed`), local);
    },
  };
}

function listingCheck({ rclone }: RcloneTools): Check {
  return {
    name: "lsf lists 2,000 objects over pages and 300 folders by both versions of listing",
    async run() {
      for (const version of ["1", "2"]) {
        const options = ["--s3-list-version", version, "--s3-list-chunk", "150"];
        assert.equal(lineCount(await rclone("lsf", ...options, `cairn:${LISTING_BUCKET}/flat`)), 2000);
        assert.equal(lineCount(await rclone("lsf", ...options, "--dirs-only", `cairn:${LISTING_BUCKET}/tree`)), 300);
      }
    },
  };
}

function deletionCheck({ rclone, bucket }: RcloneTools): Check {
  return {
    name: "deletefile deletes one object, delete a folder's, rmdir the bucket once it is empty",
    async run() {
      await rclone("deletefile", `cairn:${bucket}/timed`);
      assert.equal(await rclone("lsf", `cairn:${bucket}`), "bodies/\nodd/\nsynced/\n");
      await assert.rejects(rclone("rmdir", `cairn:${bucket}`), /BucketNotEmpty|not empty/);
      await rclone("delete", `cairn:${bucket}`);
      await rclone("rmdir", `cairn:${bucket}`);
      assert.doesNotMatch(await rclone("lsd", "cairn:"), new RegExp(` ${bucket}$`, "m"));
    },
  };
}

function refusalCheck({ rclone, bucket }: RcloneTools): Check {
  return {
    name: "a wrong secret and a missing bucket are reported as such",
    async run() {
      await assert.rejects(rclone("lsd", "wrong:"), /SignatureDoesNotMatch: The request signature we calculated/);
      await assert.rejects(rclone("lsf", `cairn:${bucket}-absent`), /directory not found|NoSuchBucket/);
    },
  };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function lineCount(text: string): number {
  return text.trimEnd().split("\n").length;
}

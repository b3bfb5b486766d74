// s3cmd: has its own signer, and compares the ETag of a PUT with the MD5 of the file.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PutBucketOwnershipControlsCommand } from "@aws-sdk/client-s3";
import { curlFor } from "./curl-command.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { assertSameBytes } from "./hashes.ts";
import { listKeys, newClient } from "./javascript/tools.ts";
import { LISTING_BUCKET } from "./listing-fixture.ts";
import { bodyOfKey, ODD_FILE_NAMES } from "./odd-keys.ts";
import { outputOf } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

interface S3cmdTools {
  readonly site: Site;
  readonly endpoint: Endpoint;
  readonly bucket: string;
  readonly folder: string;
  /** Runs a command that must succeed; returns its output. */
  readonly s3cmd: (...argumentList: readonly string[]) => Promise<string>;
}

const TIMEOUT_MS = 120_000;

/** s3cmd's checks at one endpoint. */
export function s3cmd(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "s3cmd");
  const configuration = join(folder, "s3cfg");
  const settings = {
    access_key: site.credentials.accessKeyId,
    secret_key: site.credentials.secretAccessKey,
    host_base: endpoint.host,
    host_bucket: endpoint.host,
    bucket_location: site.region,
    use_https: endpoint.scheme === "https" ? "True" : "False",
    ca_certs_file: site.caFile,
    progress_meter: "False",
    max_retries: "1",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(configuration, `[default]\n${lines.join("")}`);
  const tools: S3cmdTools = {
    site,
    endpoint,
    bucket: newBucketName("s3cmd"),
    folder,
    s3cmd: (...argumentList) =>
      outputOf("/usr/bin/s3cmd", ["--config", configuration, ...argumentList], {
        env: clientEnvironment(site, folder),
        timeoutMs: TIMEOUT_MS,
      }),
  };
  const always = [bucketCheck(tools), bodiesCheck(tools)];
  if (endpoint.scheme === "https") return suiteOf("s3cmd (https)", always);
  const others = [
    infoCheck,
    lifecycleCheck,
    policyCheck,
    aclCheck,
    partsCheck,
    oddFilesCheck,
    syncCheck,
    listingCheck,
    refusalCheck,
    deletionCheck,
  ];
  return suiteOf("s3cmd (http)", [...always, ...others.map((check) => check(tools))]);
}

function bucketCheck({ s3cmd, bucket }: S3cmdTools): Check {
  return {
    name: "mb creates a bucket that ls lists",
    async run() {
      await s3cmd("mb", `s3://${bucket}`);
      assert.match(await s3cmd("ls"), new RegExp(`s3://${bucket}$`, "m"));
    },
  };
}

function bodiesCheck({ s3cmd, bucket, site, folder }: S3cmdTools): Check {
  return {
    name: "put and get preserve bodies of 0 B to 100 MB, in one request each",
    async run() {
      const bodies = [...site.bodies, site.large];
      await s3cmd("put", "--disable-multipart", ...bodies.map(({ file }) => file), `s3://${bucket}/`);
      const back = join(folder, "back");
      mkdirSync(back);
      await s3cmd("get", "--recursive", `s3://${bucket}/`, `${back}/`);
      for (const body of bodies) await assertSameBytes(join(back, `body-${body.size}`), body);
    },
  };
}

function infoCheck({ s3cmd, bucket, site }: S3cmdTools): Check {
  return {
    name: "info shows size, type, MD5 and metadata of an object, and the location of a bucket",
    async run() {
      const { file, md5, size } = site.mebibyte;
      await s3cmd(
        "put",
        file,
        `s3://${bucket}/described`,
        "--mime-type=text/x-test",
        "--add-header=x-amz-meta-color:blue",
      );
      const info = await s3cmd("info", `s3://${bucket}/described`);
      assert.match(info, new RegExp(`File size: +${size}`));
      assert.match(info, /MIME type: +text\/x-test/);
      assert.match(info, new RegExp(`MD5 sum: +${md5}`));
      assert.match(info, /x-amz-meta-color: +blue/);
      assert.match(await s3cmd("info", `s3://${bucket}`), /Location: +auto/);
    },
  };
}

function lifecycleCheck({ s3cmd, bucket, folder }: S3cmdTools): Check {
  return {
    name: "setlifecycle and expire put rules, getlifecycle and info show them, dellifecycle deletes them",
    async run() {
      const file = join(folder, "lifecycle.xml");
      const rule = "<ID>logs</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>";
      writeFileSync(file, `<LifecycleConfiguration><Rule>${rule}</Rule></LifecycleConfiguration>`);
      await s3cmd("setlifecycle", file, `s3://${bucket}`);
      assert.match(await s3cmd("getlifecycle", `s3://${bucket}`), /<Days>3<\/Days>/);
      await s3cmd("expire", "--expiry-days=5", "--expiry-prefix=tmp/", `s3://${bucket}`);
      assert.match(await s3cmd("info", `s3://${bucket}`), /Expiration Rule: .*'tmp\/' will expire in '5' day/);
      await s3cmd("dellifecycle", `s3://${bucket}`);
      assert.match(await s3cmd("info", `s3://${bucket}`), /Expiration Rule: +none/);
    },
  };
}

function policyCheck({ s3cmd, bucket, folder, endpoint, site }: S3cmdTools): Check {
  return {
    name: "setpolicy makes a prefix public, info shows the policy, delpolicy deletes it",
    async run() {
      const curl = curlFor(site, folder);
      const read = async () => (await curl(`${endpoint.url}/${bucket}/open/k`)).status;
      await s3cmd("put", site.mebibyte.file, `s3://${bucket}/open/k`);
      const file = join(folder, "policy.json");
      const statement = { Effect: "Allow", Principal: "*", Action: ["s3:GetObject"] };
      const Statement = [{ ...statement, Resource: [`arn:aws:s3:::${bucket}/open/*`] }];
      writeFileSync(file, JSON.stringify({ Version: "2012-10-17", Statement }));
      await s3cmd("setpolicy", file, `s3://${bucket}`);
      assert.equal(await read(), 200);
      assert.match(await s3cmd("info", `s3://${bucket}`), new RegExp(`Policy: .*${bucket}/open/\\*`));
      await s3cmd("delpolicy", `s3://${bucket}`);
      assert.equal(await read(), 403);
      assert.match(await s3cmd("info", `s3://${bucket}`), /Policy: +none/);
      await s3cmd("del", `s3://${bucket}/open/k`);
    },
  };
}

function aclCheck({ s3cmd, bucket, folder, endpoint, site }: S3cmdTools): Check {
  return {
    name: "setacl makes an object public and private again if ownership controls enable ACLs",
    async run() {
      const curl = curlFor(site, folder);
      const read = async () => (await curl(`${endpoint.url}/${bucket}/acl/k`)).status;
      const place = `s3://${bucket}/acl/k`;
      await s3cmd("put", site.mebibyte.file, place);
      await assert.rejects(s3cmd("setacl", "--acl-public", place), /AccessControlListNotSupported|does not allow ACLs/);
      await newClient(site, endpoint).send(
        new PutBucketOwnershipControlsCommand({
          Bucket: bucket,
          OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] },
        }),
      );
      await s3cmd("setacl", "--acl-public", place);
      assert.equal(await read(), 200);
      assert.match(await s3cmd("info", place), /ACL: +\*anon\*: READ/);
      await s3cmd("setacl", "--acl-private", place);
      assert.equal(await read(), 403);
      await s3cmd("put", "--acl-public", site.mebibyte.file, place);
      assert.equal(await read(), 200);
      await s3cmd("del", place);
    },
  };
}

function partsCheck({ s3cmd, bucket, folder, site }: S3cmdTools): Check {
  return {
    name: "a file is put in parts, copied, modified and moved on the server",
    async run() {
      const at = `s3://${bucket}/parts`;
      const target = join(folder, "parts-back");
      await s3cmd("put", "--multipart-chunk-size-mb=5", site.medium.file, `${at}/original`);
      await s3cmd("cp", `${at}/original`, `${at}/copy &+é`);
      await s3cmd("modify", "--add-header=x-amz-meta-color:green", `${at}/copy &+é`);
      await s3cmd("mv", `${at}/copy &+é`, `${at}/moved`);
      assert.match(await s3cmd("info", `${at}/moved`), /x-amz-meta-color: +green/);
      await s3cmd("get", `${at}/moved`, target);
      await assertSameBytes(target, site.medium);
      assert.doesNotMatch(await s3cmd("ls", `${at}/`), /copy/);
    },
  };
}

function oddFilesCheck({ s3cmd, bucket, folder, site, endpoint }: S3cmdTools): Check {
  return {
    name: "oddly named files are put under their own names and downloaded unchanged",
    async run() {
      const [from, back] = [join(folder, "odd"), join(folder, "odd-back")];
      for (const name of ODD_FILE_NAMES) {
        mkdirSync(dirname(join(from, name)), { recursive: true });
        writeFileSync(join(from, name), bodyOfKey(name));
      }
      await s3cmd("sync", `${from}/`, `s3://${bucket}/odd/`);
      const listed = await listKeys({ site, endpoint, bucket, client: newClient(site, endpoint) }, "odd/");
      const names = ODD_FILE_NAMES.map((name) => `odd/${name}`);
      assert.deepEqual(
        listed,
        names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      );
      mkdirSync(back);
      await s3cmd("sync", `s3://${bucket}/odd/`, `${back}/`);
      for (const name of ODD_FILE_NAMES) assert.equal(readFileSync(join(back, name), "utf8"), bodyOfKey(name));
    },
  };
}

function syncCheck({ s3cmd, bucket, folder }: S3cmdTools): Check {
  return {
    name: "sync uploads new and changed files and, with --delete-removed, deletes missing ones",
    async run() {
      const from = join(folder, "synced");
      mkdirSync(from);
      for (const name of ["kept", "changed", "gone"]) writeFileSync(join(from, name), name);
      const sync = () => s3cmd("sync", "--delete-removed", `${from}/`, `s3://${bucket}/synced/`);
      await sync();
      writeFileSync(join(from, "changed"), "changed, and longer");
      writeFileSync(join(from, "added"), "added");
      rmSync(join(from, "gone"));
      const said = await sync();
      assert.doesNotMatch(said, /kept/);
      const listed = await s3cmd("ls", `s3://${bucket}/synced/`);
      assert.deepEqual(
        [...listed.matchAll(/synced\/(\w+)$/gm)].map(([, name]) => name),
        ["added", "changed", "kept"],
      );
    },
  };
}

function listingCheck({ s3cmd }: S3cmdTools): Check {
  return {
    name: "ls lists 2,000 objects over pages and 300 folders",
    async run() {
      assert.equal(lineCount(await s3cmd("ls", `s3://${LISTING_BUCKET}/flat/`)), 2000);
      assert.equal(lineCount(await s3cmd("ls", `s3://${LISTING_BUCKET}/tree/`)), 300);
    },
  };
}

function refusalCheck({ s3cmd, bucket }: S3cmdTools): Check {
  return {
    name: "NoSuchBucket, NoSuchKey, BucketNotEmpty and SignatureDoesNotMatch are reported with their messages",
    async run() {
      await assert.rejects(s3cmd("ls", `s3://${bucket}-absent`), /404|NoSuchBucket/);
      await assert.rejects(s3cmd("get", `s3://${bucket}/never-put`, "/dev/null", "--force"), /404|does not exist/);
      await assert.rejects(s3cmd("rb", `s3://${bucket}`), /BucketNotEmpty|not empty/);
      await assert.rejects(s3cmd("--secret_key=wrong", "ls"), /SignatureDoesNotMatch|signature we calculated/);
    },
  };
}

function deletionCheck({ s3cmd, bucket }: S3cmdTools): Check {
  return {
    name: "del deletes one object and, recursively, all; rb deletes the bucket",
    async run() {
      await s3cmd("del", `s3://${bucket}/described`);
      assert.equal(await s3cmd("ls", `s3://${bucket}/described`), "");
      await s3cmd("del", "--recursive", "--force", `s3://${bucket}`);
      await s3cmd("rb", `s3://${bucket}`);
      assert.doesNotMatch(await s3cmd("ls"), new RegExp(`s3://${bucket}$`, "m"));
    },
  };
}

function lineCount(text: string): number {
  return text.trimEnd().split("\n").length;
}

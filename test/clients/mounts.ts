// A mounted bucket: rclone mount with a cache for writes, and s3fs. Programs write, edit, append to, truncate, rename and
// delete files in the folder, and another client sees the objects. Without FUSE, rclone serves the same file system over
// WebDAV, and the report states it.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, openSync, closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./free-port.ts";
import { type Check, reasonOf, type Report, type Suite, suiteOf } from "./harness.ts";
import { newClient } from "./javascript/tools.ts";
import { fileChecks } from "./mounts/file-checks.ts";
import { eventually, type Folder, isMountPoint } from "./mounts/folder.ts";
import { webDavChecks } from "./mounts/webdav-checks.ts";
import { runCommand } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

/** Longer than the checks of one folder take. */
const SERVED_MS = 600_000;
const UNMOUNT = "/usr/bin/fusermount3";

/** A program that serves a bucket as a folder until it is ended. */
interface Server {
  readonly program: string;
  readonly argumentList: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The suites of mounted buckets at one endpoint. */
export function mounts(site: Site, endpoint: Endpoint): Suite[] {
  const home = newFolder(site, "mounts");
  const configuration = rcloneConfiguration(site, endpoint, home);
  const { AWS_CA_BUNDLE: _, ...env } = clientEnvironment(site, home);
  const rclone = (...argumentList: readonly string[]): Server => ({
    program: "/usr/bin/rclone",
    argumentList: ["--config", configuration, ...argumentList],
    env,
  });
  const vfs = ["--vfs-cache-mode=writes", "--vfs-write-back=100ms", "--dir-cache-time=500ms", "--poll-interval=0"];
  const password = join(home, "s3fs-password");
  writeFileSync(password, `${site.credentials.accessKeyId}:${site.credentials.secretAccessKey}\n`);
  chmodSync(password, 0o600);
  const s3fsOptions = [
    `passwd_file=${password}`,
    `url=${endpoint.url}`,
    "use_path_request_style",
    `endpoint=${site.region}`,
    "stat_cache_expire=1",
    "multipart_size=5",
  ];
  return [
    mounted(site, endpoint, "rclone mount", (bucket, folder) =>
      rclone("mount", `cairn:${bucket}`, folder, ...vfs, `--cache-dir=${join(home, "mount-cache")}`),
    ),
    mounted(site, endpoint, "s3fs", (bucket, folder) => ({
      program: "/usr/bin/s3fs",
      argumentList: [bucket, folder, "-f", ...s3fsOptions.flatMap((option) => ["-o", option])],
      env,
    })),
    served(site, endpoint, (bucket, port) =>
      rclone(
        "serve",
        "webdav",
        `cairn:${bucket}`,
        `--addr=127.0.0.1:${port}`,
        ...vfs,
        `--cache-dir=${join(home, "dav")}`,
      ),
    ),
  ];
}

function rcloneConfiguration({ credentials, region }: Site, endpoint: Endpoint, home: string): string {
  const file = join(home, "rclone.conf");
  const remote = [
    "[cairn]",
    "type = s3",
    "provider = Other",
    `access_key_id = ${credentials.accessKeyId}`,
    `secret_access_key = ${credentials.secretAccessKey}`,
    `endpoint = ${endpoint.url}`,
    `region = ${region}`,
    "force_path_style = true",
    "no_check_bucket = true",
  ];
  writeFileSync(file, `${remote.join("\n")}\n`);
  return file;
}

/** The checks of files in a folder that a program mounts. */
function mounted(
  site: Site,
  endpoint: Endpoint,
  name: string,
  serverOf: (bucket: string, folder: string) => Server,
): Suite {
  const client = `${name} (${endpoint.scheme})`;
  return {
    client,
    async run(report) {
      const reason = whyNoFuse();
      if (reason !== undefined) {
        report.skipped(client, `${reason}, so no folder is mounted; "rclone serve webdav" checks rclone's file system`);
        return;
      }
      const s3 = newClient(site, endpoint);
      const bucket = newBucketName("mounted");
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      const path = join(newFolder(site, "mounted"), "bucket");
      mkdirSync(path);
      const folder: Folder = { path, bucket, s3, site };
      const { program, argumentList, env } = serverOf(bucket, path);
      const isOver = runCommand(program, argumentList, { env, timeoutMs: SERVED_MS });
      try {
        await suiteOf(client, [mountCheck(path, isOver), ...fileChecks(folder)]).run(report);
      } finally {
        await unmount(client, path, report);
        await isOver;
      }
    },
  };
}

function mountCheck(path: string, isOver: Promise<{ readonly stderr: string }>): Check {
  return {
    name: "the bucket is mounted",
    async run() {
      const failed = isOver.then(({ stderr }) => {
        throw new Error(`the program ended: ${stderr}`);
      });
      await Promise.race([failed, eventually(() => assert.ok(isMountPoint(path), "nothing is mounted"))]);
    },
  };
}

async function unmount(client: string, path: string, report: Report): Promise<void> {
  if (!isMountPoint(path)) return;
  const env = { PATH: "/usr/bin:/bin" };
  const ended = await runCommand(UNMOUNT, ["-u", path], { env });
  if (ended.code === 0) return;
  report.failed(client, "the folder is unmounted", ended.stderr, 0);
  await runCommand(UNMOUNT, ["-uz", path], { env });
}

/** The checks of the file system that rclone serves over WebDAV. */
function served(site: Site, endpoint: Endpoint, serverOf: (bucket: string, port: number) => Server): Suite {
  const client = `rclone serve webdav (${endpoint.scheme})`;
  return {
    client,
    async run(report) {
      const s3 = newClient(site, endpoint);
      const bucket = newBucketName("served");
      await s3.send(new CreateBucketCommand({ Bucket: bucket }));
      const port = await freePort();
      const { program, argumentList, env } = serverOf(bucket, port);
      const stop = new AbortController();
      const isOver = runCommand(program, argumentList, { env, timeoutMs: SERVED_MS, signal: stop.signal });
      try {
        const text = (key: string): Promise<string> => textOf(s3, bucket, key);
        await suiteOf(client, webDavChecks(`http://127.0.0.1:${port}`, text)).run(report);
      } finally {
        stop.abort();
        await isOver;
      }
    },
  };
}

async function textOf(s3: S3Client, bucket: string, key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return (await Body?.transformToString()) ?? "";
}

/** Why this machine mounts nothing; undefined if it can. */
function whyNoFuse(): string | undefined {
  try {
    closeSync(openSync("/dev/fuse", "r+"));
    return undefined;
  } catch (error) {
    return `this machine has no FUSE (${reasonOf(error)})`;
  }
}

// restic and rclone over a bucket with Object Lock: an attacker with the clients' own keys deletes all that S3 lets them
// delete, and the backups come back.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  PutObjectLockConfigurationCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { newClient } from "./javascript/tools.ts";
import { outputOf } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

const TIMEOUT_MS = 120_000;

interface LockedTools {
  readonly client: S3Client;
  readonly folder: string;
  readonly restic: (...argumentList: readonly string[]) => Promise<string>;
  readonly rclone: (...argumentList: readonly string[]) => Promise<string>;
  readonly resticBucket: string;
  readonly rcloneBucket: string;
}

/** The checks at one endpoint. */
export function lockedBackups(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "locked");
  const [resticBucket, rcloneBucket] = [newBucketName("restic-locked"), newBucketName("rclone-locked")];
  const env = clientEnvironment(site, folder);
  const configuration = join(folder, "rclone.conf");
  const remote = [
    "[cairn]",
    "type = s3",
    "provider = Other",
    `access_key_id = ${site.credentials.accessKeyId}`,
    `secret_access_key = ${site.credentials.secretAccessKey}`,
    `endpoint = ${endpoint.url}`,
    `region = ${site.region}`,
    "force_path_style = true",
    "no_check_bucket = true",
  ];
  writeFileSync(configuration, `${remote.join("\n")}\n`);
  const resticEnv = {
    ...env,
    RESTIC_REPOSITORY: `s3:${endpoint.url}/${resticBucket}/repository`,
    RESTIC_PASSWORD: "checks of locks",
  };
  const tools: LockedTools = {
    client: newClient(site, endpoint),
    folder,
    resticBucket,
    rcloneBucket,
    restic: (...argumentList) =>
      outputOf("/usr/bin/restic", ["--no-cache", ...argumentList], {
        env: resticEnv,
        cwd: folder,
        timeoutMs: TIMEOUT_MS,
      }),
    rclone: (...argumentList) => {
      const options = ["--config", configuration, "--retries", "1", "--low-level-retries", "1"];
      const { AWS_CA_BUNDLE: _, ...rcloneEnv } = env;
      return outputOf("/usr/bin/rclone", [...options, ...argumentList], { env: rcloneEnv, timeoutMs: TIMEOUT_MS });
    },
  };
  return suiteOf(`restic and rclone with Object Lock (${endpoint.scheme})`, [
    resticCheck(tools),
    resticAttackCheck(tools),
    rcloneCheck(tools),
    rcloneAttackCheck(tools),
  ]);
}

function resticCheck({ client, folder, restic, resticBucket }: LockedTools): Check {
  return {
    name: "restic backs up, expires and prunes in a bucket with a default COMPLIANCE retention",
    async run() {
      await makeLockedBucket(client, resticBucket, "COMPLIANCE");
      await restic("init");
      mkdirSync(join(folder, "tree"));
      writeFileSync(join(folder, "tree", "first"), "first");
      await restic("backup", "tree");
      writeFileSync(join(folder, "tree", "second"), "second");
      await restic("backup", "tree");
      await restic("forget", "--keep-last", "1", "--prune");
      assert.match(await restic("check", "--read-data"), /no errors were found/);
    },
  };
}

function resticAttackCheck({ client, folder, restic, resticBucket }: LockedTools): Check {
  return {
    name: "the deletion of all objects and all versions of the repository is undone by deleting the delete markers",
    async run() {
      const before = await entriesOf(client, resticBucket);
      const markersBefore = new Set(before.filter(({ isMarker }) => isMarker).map(({ VersionId }) => VersionId));
      const current = before.filter(({ isLatest, isMarker }) => isLatest && !isMarker);
      const hidden = await deleteAll(
        client,
        resticBucket,
        current.map(({ Key }) => ({ Key })),
      );
      assert.equal(hidden.Errors?.length ?? 0, 0);
      const versions = before.filter(({ isMarker }) => !isMarker);
      const refused = await deleteAll(
        client,
        resticBucket,
        versions.map(({ Key, VersionId }) => ({ Key, VersionId })),
      );
      assert.deepEqual(new Set(refused.Errors?.map(({ Code }) => Code)), new Set(["AccessDenied"]));
      assert.equal(refused.Errors?.length, versions.length);
      await assert.rejects(restic("snapshots"), /Is there a repository/);
      const after = await entriesOf(client, resticBucket);
      const markers = after.filter(({ isMarker, VersionId }) => isMarker && !markersBefore.has(VersionId));
      const undone = await deleteAll(
        client,
        resticBucket,
        markers.map(({ Key, VersionId }) => ({ Key, VersionId })),
      );
      assert.equal(undone.Errors?.length ?? 0, 0);
      assert.match(await restic("check", "--read-data"), /no errors were found/);
      await restic("restore", "latest", "--target", join(folder, "restored"));
      assert.equal(readFileSync(join(folder, "restored", "tree", "second"), "utf8"), "second");
    },
  };
}

function rcloneCheck({ client, folder, rclone, rcloneBucket }: LockedTools): Check {
  return {
    name: "rclone syncs into a bucket with a default GOVERNANCE retention; what it replaces and deletes stays as versions",
    async run() {
      await makeLockedBucket(client, rcloneBucket, "GOVERNANCE");
      const from = join(folder, "synced");
      mkdirSync(from);
      for (const name of ["kept", "changed", "gone"]) writeFileSync(join(from, name), name);
      await rclone("sync", from, `cairn:${rcloneBucket}`);
      writeFileSync(join(from, "changed"), "changed, and longer");
      rmSync(join(from, "gone"));
      await rclone("sync", from, `cairn:${rcloneBucket}`);
      assert.equal(await rclone("lsf", `cairn:${rcloneBucket}`), "changed\nkept\n");
      await rclone("check", "--download", from, `cairn:${rcloneBucket}`);
      assert.equal((await entriesOf(client, rcloneBucket)).filter(({ isMarker }) => !isMarker).length, 4);
    },
  };
}

function rcloneAttackCheck({ client, folder, rclone, rcloneBucket }: LockedTools): Check {
  return {
    name: "rclone deletes no old version, and copies the state of an earlier time back after a deletion of everything",
    async run() {
      // Version times in rclone have a precision of a second.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await rclone("delete", `cairn:${rcloneBucket}`);
      assert.equal(await rclone("lsf", `cairn:${rcloneBucket}`), "");
      await assert.rejects(rclone("delete", "--s3-versions", `cairn:${rcloneBucket}`), /AccessDenied|object lock/);
      assert.equal((await entriesOf(client, rcloneBucket)).filter(({ isMarker }) => !isMarker).length, 4);
      const back = join(folder, "back");
      await rclone("copy", `--s3-version-at=${time}`, `cairn:${rcloneBucket}`, back);
      assert.equal(readFileSync(join(back, "changed"), "utf8"), "changed, and longer");
      assert.equal(readFileSync(join(back, "kept"), "utf8"), "kept");
    },
  };
}

async function makeLockedBucket(client: S3Client, Bucket: string, Mode: "COMPLIANCE" | "GOVERNANCE"): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  const Rule = { DefaultRetention: { Mode, Days: 1 } };
  const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule } as const;
  await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
}

interface Entry {
  readonly Key: string;
  readonly VersionId: string;
  readonly isLatest: boolean;
  readonly isMarker: boolean;
}

interface ListedEntry {
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly IsLatest?: boolean | undefined;
}

/** All versions and delete markers of a bucket, which fit on a page. */
async function entriesOf(client: S3Client, Bucket: string): Promise<Entry[]> {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  const entry = ({ Key = "", VersionId = "", IsLatest: isLatest = false }: ListedEntry, isMarker: boolean): Entry => ({
    Key,
    VersionId,
    isLatest,
    isMarker,
  });
  return [...Versions.map((one) => entry(one, false)), ...DeleteMarkers.map((one) => entry(one, true))];
}

function deleteAll(client: S3Client, Bucket: string, Objects: { Key: string; VersionId?: string }[]) {
  return client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
}

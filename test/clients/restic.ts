// restic: a repository of snapshots, whose packs it writes once, reads in ranges and deletes when no snapshot needs them.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { at } from "./at.ts";
import { type Check, type Suite, suiteOf } from "./harness.ts";
import { hashBytes } from "./hashes.ts";
import { listKeys, newClient } from "./javascript/tools.ts";
import { bodyOfKey, ODD_FILE_NAMES } from "./odd-keys.ts";
import { outputOf } from "./run-command.ts";
import { clientEnvironment, type Endpoint, newBucketName, newFolder, type Site } from "./site.ts";

interface ResticTools {
  readonly site: Site;
  readonly folder: string;
  /** The tree that is backed up. */
  readonly tree: string;
  /** The repository in restic's notation. */
  readonly repository: string;
  /** Runs a command that must succeed; returns its output. */
  readonly restic: (...argumentList: readonly string[]) => Promise<string>;
  /** The keys of the repository's objects in one of its folders. */
  readonly keys: (name: string) => Promise<string[]>;
}

const TIMEOUT_MS = 120_000;

/** restic's checks at one endpoint. */
export function restic(site: Site, endpoint: Endpoint): Suite {
  const folder = newFolder(site, "restic");
  const bucket = newBucketName("restic");
  const tree = join(folder, "tree");
  mkdirSync(tree);
  const repository = `s3:${endpoint.url}/${bucket}/repository`;
  const env = {
    ...clientEnvironment(site, folder),
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: "checks of clients",
  };
  const tools: ResticTools = {
    site,
    folder,
    tree,
    repository,
    // Without a cache, all that it reads is read from the server.
    restic: (...argumentList) =>
      outputOf("/usr/bin/restic", ["--no-cache", "--cacert", site.caFile, ...argumentList], {
        env,
        cwd: tree,
        timeoutMs: TIMEOUT_MS,
      }),
    keys: (name) => listKeys({ site, endpoint, bucket, client: newClient(site, endpoint) }, `repository/${name}/`),
  };
  return suiteOf(`restic (${endpoint.scheme})`, [
    initCheck(tools),
    backupCheck(tools),
    changeCheck(tools),
    pruneCheck(tools),
    restoreCheck(tools),
    refusalCheck(tools),
  ]);
}

function initCheck({ restic, keys }: ResticTools): Check {
  return {
    name: "init creates the bucket and a repository in it, once",
    async run() {
      assert.match(await restic("init"), /created restic repository/);
      assert.equal((await keys("keys")).length, 1);
      await assert.rejects(restic("init"), /already/);
    },
  };
}

function backupCheck({ restic, tree, site }: ResticTools): Check {
  return {
    name: "backup stores a tree of oddly named files and one of 25 MB, and check reads all of it",
    async run() {
      for (const name of ODD_FILE_NAMES) {
        mkdirSync(dirname(join(tree, name)), { recursive: true });
        writeFileSync(join(tree, name), bodyOfKey(name));
      }
      for (const name of ["changed", "kept"]) writeFileSync(join(tree, name), name);
      copyFileSync(site.medium.file, join(tree, "medium"));
      copyFileSync(site.mebibyte.file, join(tree, "gone"));
      const summary = await backUp(restic);
      assert.equal(at(summary, "files_new"), ODD_FILE_NAMES.length + 4);
      assert.match(await restic("check", "--read-data"), /no errors were found/);
    },
  };
}

function changeCheck({ restic, tree, site, keys }: ResticTools): Check {
  return {
    name: "a second backup stores only new and changed files, and both snapshots are listed",
    async run() {
      writeFileSync(join(tree, "changed"), "changed, and longer");
      writeFileSync(join(tree, "added"), "added");
      rmSync(join(tree, "gone"));
      const summary = await backUp(restic);
      assert.equal(at(summary, "files_new"), 1);
      assert.equal(at(summary, "files_changed"), 1);
      assert.ok(Number(at(summary, "data_added")) < site.mebibyte.size, JSON.stringify(summary));
      assert.equal(at(await listSnapshots(restic), "length"), 2);
      assert.equal((await keys("snapshots")).length, 2);
      assert.match(await restic("check"), /no errors were found/);
    },
  };
}

function pruneCheck({ restic, keys }: ResticTools): Check {
  return {
    name: "forget --keep-last 1 --prune leaves one snapshot, no unused pack, no lock and a sound repository",
    async run() {
      const latest = at(await listSnapshots(restic), 1, "id");
      const before = await keys("data");
      await restic("forget", "--keep-last", "1", "--prune", "--max-unused", "0");
      assert.deepEqual(await keys("snapshots"), [`repository/snapshots/${String(latest)}`]);
      const after = new Set(await keys("data"));
      assert.ok(
        before.some((key) => !after.has(key)),
        "no pack was deleted",
      );
      assert.match(await restic("check", "--read-data"), /no errors were found/);
      assert.deepEqual(await keys("locks"), []);
    },
  };
}

function restoreCheck({ restic, tree, folder }: ResticTools): Check {
  return {
    name: "restore brings back the latest tree byte for byte, and dump one file of it",
    async run() {
      const target = join(folder, "restored");
      await restic("restore", "latest", "--target", target);
      assert.deepEqual(hashesOf(target), hashesOf(tree));
      assert.equal(await restic("dump", "latest", "/changed"), "changed, and longer");
    },
  };
}

function refusalCheck({ restic, repository }: ResticTools): Check {
  return {
    name: "a missing repository and a wrong password have different errors",
    async run() {
      await assert.rejects(restic("--repo", `${repository}-absent`, "snapshots"), /Is there a repository/);
      const password = ["--password-command", "echo wrong"];
      await assert.rejects(restic(...password, "snapshots"), /wrong password|no key found/);
    },
  };
}

/** Backs the tree up as the snapshot's root; returns restic's final message. */
async function backUp(restic: ResticTools["restic"]): Promise<unknown> {
  const lines = (await restic("backup", "--json", ".")).trimEnd().split("\n");
  const summary: unknown = JSON.parse(lines.at(-1) ?? "");
  return summary;
}

async function listSnapshots(restic: ResticTools["restic"]): Promise<unknown> {
  const snapshots: unknown = JSON.parse(await restic("snapshots", "--json"));
  return snapshots;
}

/** The hash of every file in a folder, by its path there. */
function hashesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(folder, path), hashBytes("sha256", readFileSync(path))]));
}

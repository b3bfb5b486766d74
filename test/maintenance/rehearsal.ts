// `npm run test:recovery`: plants faults in the state of a served Cairn whose blobs are in the R2 simulator and has fsck
// find them, deletes its database and rebuilds it, and continues with the result.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { Requests } from "../crash/requests.ts";
import { makeCredentials } from "../../scripts/project/credentials.ts";
import { openState, type OpenState } from "../../scripts/maintenance/open-state.ts";
import { DATABASE_FOLDER } from "../../scripts/maintenance/rebuilding.ts";

const PART_BYTES = 5 * 1024 ** 2;
const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-recovery-"));
const state = join(folder, "state");
const big = randomBytes(PART_BYTES + 1000);

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs one of the scripts from the command line. */
function run(script: "fsck" | "rebuild" | "resume-deletions", ...options: readonly string[]): Promise<Outcome> {
  const file = resolve(import.meta.dirname, "..", "..", "scripts", `${script}.ts`);
  return new Promise((done) => {
    execFile(process.execPath, [file, ...options], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

/** Serves the state while `act` runs. */
async function served<Result>(act: (requests: Requests) => Promise<Result>): Promise<Result> {
  const cairn = await startCairn({ state, credentials, settings: { CAIRN_BLOBS: "r2", INLINE_MAX_BYTES: "0" } });
  try {
    return await act(new Requests(cairn.url, credentials));
  } finally {
    await cairn.stop();
  }
}

async function put(requests: Requests, target: string, body: Buffer | string): Promise<string> {
  const { status, headers } = await requests.send("PUT", target, {}, body);
  assert.equal(status, 200, target);
  return headers.get("etag") ?? "";
}

async function get(requests: Requests, target: string): Promise<Buffer> {
  const { status, body } = await requests.send("GET", target);
  assert.equal(status, 200, target);
  return body;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Puts an object of two parts. */
async function putParts(requests: Requests, target: string): Promise<void> {
  const begun = await requests.send("POST", `${target}?uploads`);
  const id = /<UploadId>(.*?)<\/UploadId>/.exec(begun.body.toString())?.[1] ?? "";
  const parts = [big.subarray(0, PART_BYTES), big.subarray(PART_BYTES)];
  let listed = "";
  for (const [index, bytes] of parts.entries()) {
    const etag = await put(requests, `${target}?partNumber=${index + 1}&uploadId=${id}`, bytes);
    listed += `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`;
  }
  const document = `<CompleteMultipartUpload>${listed}</CompleteMultipartUpload>`;
  assert.equal((await requests.send("POST", `${target}?uploadId=${id}`, {}, document)).status, 200);
}

/** Opens the state directly, without the server. */
async function meddle(act: (open: OpenState) => Promise<void>): Promise<void> {
  const open = await openState(state);
  try {
    await act(open);
  } finally {
    await open.close();
  }
}

/** The blobs of the objects by their keys, and the files of blobs by their ids. */
async function listedBlobs(): Promise<Record<"ids" | "files", Record<string, string>>> {
  const ids: Record<string, string> = {};
  await meddle(async ({ database }) => {
    const { results } = await database
      .prepare("SELECT key, blob_id FROM objects WHERE blob_id IS NOT NULL")
      .all<{ key: string; blob_id: string }>();
    for (const { key, blob_id: blobId } of results) ids[key] = blobId;
  });
  const files: Record<string, string> = {};
  const simulator = join(state, "r2", "miniflare-R2BucketObject");
  for (const name of readdirSync(simulator)) {
    if (!/^[0-9a-f]{64}\.sqlite$/.test(name)) continue;
    const database = new DatabaseSync(join(simulator, name), { readOnly: true });
    for (const row of database.prepare("SELECT key, blob_id FROM _mf_objects").all())
      files[String(row["key"])] = join(state, "r2", "BLOBS", "blobs", String(row["blob_id"]));
    database.close();
  }
  return { ids, files };
}

void describe("recovery", () => {
  before(async () => {
    await served(async (requests) => {
      assert.equal((await requests.send("PUT", "/things")).status, 200);
      for (const key of ["a", "b", "c", "d"]) await put(requests, `/things/${key}`, `bytes of ${key}`);
      await putParts(requests, "/things/parted");
      await requests.send("POST", "/things/open?uploads").then(async ({ body }) => {
        const id = /<UploadId>(.*?)<\/UploadId>/.exec(body.toString())?.[1] ?? "";
        await put(requests, `/things/open?partNumber=1&uploadId=${id}`, "never completed");
      });
    });
    cpSync(state, join(folder, "sound"), { recursive: true });
  });

  after(() => {
    endRunningCairns();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  void it("fsck finds nothing in a sound state, served or not", async () => {
    await served(async (requests) => {
      const writing = Promise.all(["a", "b", "c"].map((key) => put(requests, `/things/${key}`, `bytes of ${key}`)));
      const { code, output } = await run("fsck", "--state", state);
      await writing;
      assert.equal(code, 0, output);
    });
    const { code, output } = await run("fsck", "--state", state, "--bytes");
    assert.equal(code, 0, output);
    assert.match(output, /^fsck: 11 blobs of \d+ bytes, 0 orphans, 0 findings: sound$/m);
  });

  void it("fsck finds every planted fault", async () => {
    const ids: Record<string, string> = {};
    await meddle(async ({ database, blobs }) => {
      const { results } = await database
        .prepare("SELECT key, blob_id FROM objects")
        .all<{ key: string; blob_id: string }>();
      for (const { key, blob_id: blobId } of results) ids[key] = blobId;
      const certificate = (await blobs.head(ids["c"] ?? ""))?.customMetadata ?? {};
      await blobs.delete(ids["a"] ?? "");
      await blobs.put(ids["b"] ?? "", "too short");
      await blobs.put(ids["c"] ?? "", "BYTES OF C", { customMetadata: certificate });
      await blobs.put("orphan/1", "orphaned");
      await database
        .prepare("INSERT INTO shared_blobs VALUES (?, 2)")
        .bind(ids["d"] ?? "")
        .run();
      await database
        .prepare(
          `INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at, owner_id, storage_class)
           SELECT bucket_id, key, '0', 0, 1, 0, '', 0, owner_id, 'STANDARD' FROM objects WHERE key = 'd'`,
        )
        .run();
    });
    const { code, output } = await run("fsck", "--state", state, "--bytes");
    assert.equal(code, 1, output);
    for (const line of [
      `FOUND  blob ${ids["a"]} must have 10 bytes and is missing`,
      `FOUND  blob ${ids["b"]} must have 10 bytes and has 9`,
      `FOUND  blob ${ids["c"]}: its MD5 is`,
      `FOUND  ${ids["d"]} has 1 holders, recorded are 2`,
      "is not newer than version 0",
      "orphan orphan/1",
    ]) {
      assert.ok(output.includes(line), `${line} is not in\n${output}`);
    }
    assert.match(output, /NOT SOUND$/m);
  });

  void it("fsck names every blob whose file is gone, cut short, too long or no file, with --bytes and without", async () => {
    rmSync(state, { recursive: true, force: true });
    cpSync(join(folder, "sound"), state, { recursive: true });
    const { ids, files } = await listedBlobs();
    const [gone = "", short = "", long = "", folderInstead = ""] = ["a", "b", "c", "d"].map((key) => ids[key] ?? "");
    const file = (id: string): string => files[id] ?? "";
    const changed = join(file(gone), "..", "unknown");
    writeFileSync(changed, "of no blob");
    utimesSync(changed, 0, 0);
    rmSync(file(gone));
    truncateSync(file(short), 3);
    appendFileSync(file(long), "and more");
    rmSync(file(folderInstead));
    mkdirSync(file(folderInstead));
    for (const options of [[], ["--bytes"]]) {
      const { code, output } = await run("fsck", "--state", state, ...options);
      assert.equal(code, 1, output);
      for (const line of [
        `FOUND  blob ${gone}: the store lists it and has no bytes of it`,
        `FOUND  blob ${gone}: its file ${file(gone)} is missing`,
        `FOUND  blob ${short}: it cannot be read`,
        `FOUND  blob ${short}: its file ${file(short)} has 3 bytes and must have 10`,
        `FOUND  blob ${long}: its file ${file(long)} has 18 bytes and must have 10`,
        `FOUND  blob ${folderInstead}: it cannot be read`,
        `FOUND  blob ${folderInstead}: its file ${file(folderInstead)} is no file`,
        `orphan ${changed}`,
      ]) {
        assert.ok(output.includes(line), `${line} is not in\n${output}`);
      }
    }
    // If the simulator has no entry, the rows lack their blobs and the files belong to no blob.
    const simulator = join(state, "r2", "miniflare-R2BucketObject");
    for (const name of readdirSync(simulator)) rmSync(join(simulator, name));
    for (const path of Object.values(files)) if (existsSync(path)) utimesSync(path, 0, 0);
    const { code, output } = await run("fsck", "--state", state);
    assert.equal(code, 1, output);
    assert.ok(output.includes(`FOUND  blob ${long} must have 10 bytes and is missing`), output);
    assert.ok(output.includes(`orphan ${file(long)}`), output);
  });

  void it("fsck says what is wrong with its arguments", async () => {
    assert.equal((await run("fsck", "--state", join(folder, "nowhere"))).code, 2);
    assert.equal((await run("fsck", "--nonsense")).code, 2);
  });

  void it("a database that is not empty, or is being served, is not rebuilt", async () => {
    rmSync(state, { recursive: true, force: true });
    cpSync(join(folder, "sound"), state, { recursive: true });
    const refused = await run("rebuild", "--state", state);
    assert.equal(refused.code, 2);
    assert.match(refused.output, /not empty/);
    await served(async () => {
      const busy = await run("rebuild", "--state", state, "--replace");
      assert.equal(busy.code, 2);
      assert.match(busy.output, /in use/);
    });
  });

  void it("a deleted database is rebuilt, lists and serves the earlier objects, and accepts writes", async () => {
    rmSync(join(state, DATABASE_FOLDER), { recursive: true });
    const { code, output } = await run("rebuild", "--state", state);
    assert.equal(code, 0, output);
    assert.match(output, /^objects: 5$/m);
    assert.match(output, /^REPORTED {2}things\/"open" .* nothing shows that it was completed$/m);
    assert.match(output, /^deletions are on hold until: npm run resume-deletions$/m);
    await served(async (requests) => {
      const list = (await get(requests, "/things?list-type=2")).toString();
      assert.deepEqual(
        Array.from(list.matchAll(/<Key>(.*?)<\/Key>/g), ([, key]) => key),
        ["a", "b", "c", "d", "parted"],
      );
      for (const key of ["a", "b", "c", "d"]) {
        assert.equal((await get(requests, `/things/${key}`)).toString(), `bytes of ${key}`);
      }
      assert.equal(hashOf(await get(requests, "/things/parted")), hashOf(big));
      await put(requests, "/things/a", "new bytes of a");
      await requests.send("DELETE", "/things/b");
      assert.equal((await get(requests, "/things/a")).toString(), "new bytes of a");
    });
    const checked = await run("fsck", "--state", state, "--bytes");
    assert.equal(checked.code, 0, checked.output);
  });

  void it("deletions on hold after a rebuild continue once they are resumed", async () => {
    const resumed = await run("resume-deletions", "--state", state);
    assert.equal(resumed.code, 0, resumed.output);
    assert.match(resumed.output, /the database was rebuilt/);
  });

  void it("--replace moves the existing database aside", async () => {
    const { code, output } = await run("rebuild", "--state", state, "--replace");
    assert.equal(code, 0, output);
    assert.match(output, /the database that was there is now .*d1-before-rebuild-/);
  });
});

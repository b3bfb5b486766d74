// The drill of docs/recovery.md: random objects are stored, their metadata is backed up to a file and to the blob store,
// the database is deleted and restored, and every object is readable. Run by `npm run test:recovery`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { Requests } from "../crash/requests.ts";
import { makeCredentials } from "../../scripts/project/credentials.ts";
import { DATABASE_FOLDER } from "../../scripts/maintenance/rebuilding.ts";

const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-backup-"));
const state = join(folder, "state");
const file = join(folder, "backup");
const stored = new Map(
  Array.from({ length: 40 }, (_, index) => [
    `/drill/${index} ${randomBytes(4).toString("hex")}`,
    // The database keeps some of the bodies, and the blob store others.
    randomBytes(index * 970),
  ]),
);

interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Runs one of the scripts from the command line. */
function run(
  script: "backup" | "fsck" | "restore" | "resume-deletions",
  ...options: readonly string[]
): Promise<Outcome> {
  const path = resolve(import.meta.dirname, "..", "..", "scripts", `${script}.ts`);
  return new Promise((done) => {
    execFile(process.execPath, [path, "--state", state, ...options], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

async function served<Result>(act: (requests: Requests) => Promise<Result>): Promise<Result> {
  const cairn = await startCairn({ state, credentials });
  try {
    return await act(new Requests(cairn.url, credentials));
  } finally {
    await cairn.stop();
  }
}

async function expectEverything(): Promise<void> {
  await served(async (requests) => {
    for (const [target, bytes] of stored) {
      const { status, body } = await requests.send("GET", encodeURI(target));
      assert.equal(status, 200, target);
      assert.ok(body.equals(bytes), target);
    }
  });
  const checked = await run("fsck", "--bytes");
  assert.equal(checked.code, 0, checked.output);
}

void describe("backup and restore", () => {
  before(async () => {
    await served(async (requests) => {
      assert.equal((await requests.send("PUT", "/drill")).status, 200);
      for (const [target, bytes] of stored) {
        assert.equal((await requests.send("PUT", encodeURI(target), {}, bytes)).status, 200);
      }
      const { code, output } = await run("backup", "--to", file);
      assert.equal(code, 0, output);
    });
  });

  after(() => {
    endRunningCairns();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  void it("a database that was deleted is restored from a file that only its owner reads", async () => {
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const refused = await run("restore", "--from", file);
    assert.equal(refused.code, 2);
    assert.match(refused.output, /the database is not empty/);
    rmSync(join(state, DATABASE_FOLDER), { recursive: true });
    const { code, output } = await run("restore", "--from", file);
    assert.equal(code, 0, output);
    assert.match(output, /deletions are on hold until: npm run resume-deletions/);
    assert.match(output, /sound$/m);
    await expectEverything();
    const resumed = await run("resume-deletions");
    assert.match(resumed.output, /the database was restored from a backup in a file/);
  });

  void it("and from the newest backup in the blob store, and moves the existing database aside", async () => {
    const backedUp = await run("backup");
    assert.equal(backedUp.code, 0, backedUp.output);
    const { code, output } = await run("restore", "--backup", "latest", "--replace");
    assert.equal(code, 0, output);
    await expectEverything();
  });

  void it("and not from a truncated file or another kind of file", async () => {
    truncateSync(file, statSync(file).size - 10);
    const cut = await run("restore", "--from", file, "--replace");
    assert.equal(cut.code, 2);
    assert.match(cut.output, /is no whole backup/);
    assert.equal((await run("restore", "--from", join(folder, "nowhere"), "--replace")).code, 2);
    assert.equal((await run("restore")).code, 2);
    assert.equal((await run("fsck")).code, 0);
  });
});

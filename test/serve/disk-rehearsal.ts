// Tests of a served Cairn on the disk store: which store a state folder gets, a full disk, a killed upload, and maintenance.
// `npm run test:serve` runs them.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AwsV4Signer } from "aws4fetch";
import { after, describe, it } from "node:test";
import { endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { Requests } from "../crash/requests.ts";
import { makeCredentials } from "../../scripts/project/credentials.ts";

const MiB = 1024 ** 2;
const ANSWER_MS = 60_000;
const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-disk-"));
const mounts: string[] = [];

after(() => {
  endRunningCairns();
  for (const path of mounts) spawnSync("umount", ["-l", path]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Serves a state folder while `act` runs. */
async function served(
  state: string,
  act: (requests: Requests, url: string) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  // Small bodies are files, too.
  const cairn = await startCairn({ state, credentials, settings: { INLINE_MAX_BYTES: "0", ...settings } });
  try {
    await act(new Requests(cairn.url, credentials), cairn.url);
  } finally {
    await cairn.stop();
  }
}

async function put(requests: Requests, path: string, body?: Buffer | string): Promise<void> {
  const { status, body: answer } = await requests.send("PUT", path, {}, body);
  assert.equal(status, 200, `${path}: ${answer.toString()}`);
}

/** The headers of a signed PUT. */
async function signedHeaders(url: string): Promise<Record<string, string>> {
  const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
  const signer = new AwsV4Signer({ method: "PUT", url, headers, ...credentials, service: "s3", region: "us-east-1" });
  return Object.fromEntries((await signer.sign()).headers);
}

/** The status and the document of a PUT, which may fail. */
async function tryPut(url: string, body: Buffer | string): Promise<{ readonly status: number; readonly text: string }> {
  const bytes = new Uint8Array(Buffer.from(body));
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(url, { method: "PUT", headers: await signedHeaders(url), body: bytes, signal });
  return { status: response.status, text: await response.text() };
}

function blobFiles(state: string): string[] {
  const blobs = join(state, "blobs");
  if (!existsSync(blobs)) return [];
  return readdirSync(blobs, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

function incoming(state: string): string[] {
  const path = join(state, "blobs.incoming");
  return existsSync(path) ? readdirSync(path) : [];
}

/** Runs one of the scripts from the command line. */
function run(script: string, ...options: readonly string[]): Promise<{ code: number; output: string }> {
  const file = resolve(import.meta.dirname, "..", "..", "scripts", `${script}.ts`);
  return new Promise((done) => {
    execFile(process.execPath, [file, ...options], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

void describe("a state folder", () => {
  void it("gets the disk store if it is new, and with CAIRN_BLOBS=r2 the simulator, with which it continues", async () => {
    const [disk, simulator] = [join(folder, "new"), join(folder, "old")];
    const body = randomBytes(200_000);
    for (const [state, settings] of [
      [disk, { CAIRN_FSYNC: "true" }],
      [simulator, { CAIRN_BLOBS: "r2" }],
    ] as const) {
      await served(
        state,
        async (requests) => {
          await put(requests, "/bucket");
          await put(requests, "/bucket/key", body);
        },
        settings,
      );
      await served(state, async (requests) => {
        assert.deepEqual((await requests.send("GET", "/bucket/key")).body, body);
      });
    }
    assert.equal(blobFiles(disk).length, 1);
    assert.equal(blobFiles(simulator).length, 0);
    await assert.rejects(
      startCairn({ state: disk, credentials, settings: { CAIRN_BLOBS: "r2" } }),
      /cannot be opened with r2/,
    );
    await assert.rejects(
      startCairn({ state: simulator, credentials, settings: { CAIRN_BLOBS: "disk" } }),
      /cannot be opened with disk/,
    );
    await assert.rejects(startCairn({ state: disk, credentials, settings: { CAIRN_BLOBS: "tape" } }), /not one of/);
  });
});

void describe("an upload", () => {
  void it("that is cut off by a kill leaves nothing after the next start, and acknowledged ones survive", async () => {
    const state = join(folder, "killed");
    const cairn = await startCairn({ state, credentials });
    const requests = new Requests(cairn.url, credentials);
    await put(requests, "/bucket");
    const body = randomBytes(3 * MiB);
    await put(requests, "/bucket/key", body);
    const cut = httpRequest(`${cairn.url}/bucket/cut`, {
      method: "PUT",
      headers: { ...(await signedHeaders(`${cairn.url}/bucket/cut`)), "content-length": 8 * MiB },
    });
    cut.on("error", () => undefined);
    cut.write(randomBytes(2 * MiB));
    for (let pauses = 0; incoming(state).length === 0 && pauses < 200; pauses += 1) {
      await new Promise((done) => setTimeout(done, 50));
    }
    assert.equal(incoming(state).length, 1);
    await cairn.kill();
    assert.equal(incoming(state).length, 1);
    await served(state, async (again) => {
      assert.deepEqual(incoming(state), []);
      assert.deepEqual((await again.send("GET", "/bucket/key")).body, body);
      assert.equal((await again.send("GET", "/bucket/cut")).status, 404);
    });
  });
});

void describe("a full disk", () => {
  const small = join(folder, "small");
  mkdirSync(small);
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=96m", "tmpfs", small]).status === 0;
  if (isMounted) mounts.push(small);

  void it("answers uploads with 507 and continues to serve reads and deletions", { skip: !isMounted }, async () => {
    const state = join(small, "state");
    const ballast = join(small, "ballast");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=1M", "count=16"]);
    await served(state, async (requests, url) => {
      await put(requests, "/bucket");
      const body = randomBytes(8 * MiB);
      let [stored, refused] = [0, 0];
      for (let number = 0; number < 20; number += 1) {
        const { status, text } = await tryPut(`${url}/bucket/${number}`, body);
        if (status === 200) stored += 1;
        else {
          refused += 1;
          assert.equal(status, 507, text);
          assert.match(text, /<Code>InsufficientStorage<\/Code><Message>The disk /);
        }
      }
      assert.ok(stored > 3, `${stored}`);
      assert.ok(refused > 3, `${refused}`);
      assert.deepEqual(incoming(state), []);
      assert.equal(blobFiles(state).length, stored);
      // Another program takes what uploads leave free. Then the database's own files cannot grow, and uploads still fail.
      const filler = join(small, "filler");
      spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"]);
      const tiny = await tryPut(`${url}/bucket/tiny`, "tiny");
      assert.ok(tiny.status >= 500, tiny.text);
      rmSync(filler);
      rmSync(ballast);
      assert.deepEqual((await requests.send("GET", "/bucket/0")).body, body);
      assert.equal((await requests.send("DELETE", "/bucket/1")).status, 204);
      assert.equal((await requests.send("HEAD", "/bucket/1")).status, 404);
      await put(requests, "/bucket/tiny", "tiny");
    });
    const { code, output } = await run("fsck", "--state", state, "--bytes");
    assert.equal(code, 0, output);
  });
});

void describe("maintenance", () => {
  void it("finds damaged and missing files, backs up, restores and rebuilds", async () => {
    const state = join(folder, "maintained");
    const bodies = new Map(["a", "b", "c"].map((key) => [key, randomBytes(100_000)]));
    await served(state, async (requests) => {
      await put(requests, "/bucket");
      for (const [key, body] of bodies) await put(requests, `/bucket/${key}`, body);
      const { code, output } = await run("fsck", "--state", state);
      assert.equal(code, 0, output);
    });
    const backedUp = await run("backup", "--state", state);
    assert.equal(backedUp.code, 0, backedUp.output);
    const restored = await run("restore", "--backup", "latest", "--state", state, "--replace");
    assert.equal(restored.code, 0, restored.output);
    const rebuilt = await run("rebuild", "--state", state, "--replace");
    assert.equal(rebuilt.code, 0, rebuilt.output);
    assert.match(rebuilt.output, /^objects: 3$/m);
    await served(state, async (requests) => {
      for (const [key, body] of bodies) assert.deepEqual((await requests.send("GET", `/bucket/${key}`)).body, body);
    });
    const [gone = "", short = "", changed = ""] = blobFiles(state);
    rmSync(gone);
    truncateSync(short, 1000);
    const file = openSync(changed, "r+");
    writeSync(file, randomBytes(16), 0, 16, 5000);
    closeSync(file);
    const { code, output } = await run("fsck", "--state", state, "--bytes");
    assert.equal(code, 1, output);
    const idOf = (path: string): string => {
      const [bucket = "", , name = ""] = path.slice(join(state, "blobs").length + 1).split("/");
      return `${bucket}/${name}`;
    };
    assert.ok(output.includes(`FOUND  blob ${idOf(gone)} must have 100000 bytes and is missing`), output);
    assert.ok(output.includes(`FOUND  blob ${idOf(short)} must have 100000 bytes and has 1000`), output);
    assert.ok(output.includes(`FOUND  blob ${idOf(changed)}: its MD5 is`), output);
  });
});

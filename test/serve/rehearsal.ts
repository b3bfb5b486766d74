// Tests of the local server as a process: who may use a state folder, and what it prints. `npm run test:serve` runs them.
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { endRunningCairns, startCairn } from "../clients/cairn-process.ts";
import { makeCredentials, rootCredentials } from "../../scripts/project/credentials.ts";
import { makeMasterKey, MASTER_KEY, masterKey } from "../../scripts/project/master-key.ts";
import { greeting } from "../../scripts/serve/greeting.ts";
import { lockState } from "../../scripts/serve/state-lock.ts";

const credentials = makeCredentials();
const folder = mkdtempSync(join(tmpdir(), "cairn-serve-"));

after(() => {
  endRunningCairns();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

void describe("a state folder", () => {
  void it("allows one server, also if another one uses another path or TMPDIR", async () => {
    const state = join(folder, "one");
    const link = join(folder, "link");
    const elsewhere = join(folder, "tmp");
    mkdirSync(elsewhere);
    symlinkSync(state, link);
    const first = await startCairn({ state, credentials });
    for (const path of [state, link]) {
      const second = startCairn({ state: path, credentials, settings: { TMPDIR: elsewhere } });
      await assert.rejects(second, /in use by another server/);
    }
    // A copy is another folder, even with the same content.
    const copy = join(folder, "copy");
    await first.stop();
    cpSync(state, copy, { recursive: true });
    const again = await startCairn({ state, credentials });
    const copied = await startCairn({ state: copy, credentials });
    await copied.stop();
    await again.stop();
  });

  void it("can be locked after its server was killed", async () => {
    const state = join(folder, "killed");
    const first = await startCairn({ state, credentials });
    await first.kill();
    const second = await startCairn({ state, credentials });
    await second.stop();
  });

  void it("is locked once within a process, until it is released", async () => {
    const state = join(folder, "twice");
    const unlock = await lockState(state);
    await assert.rejects(lockState(state), /in use by another server/);
    unlock();
    unlock();
    const unlockAgain = await lockState(state);
    unlockAgain();
  });

  void it(
    "is accessible to its owner only, also if it was accessible to others",
    { skip: process.platform === "win32" },
    async () => {
      const state = join(folder, "open");
      mkdirSync(state);
      chmodSync(state, 0o755);
      for (const path of [state, join(folder, "new", "nested")]) {
        const unlock = await lockState(path);
        assert.equal(statSync(path).mode & 0o777, 0o700);
        unlock();
      }
    },
  );
});

void describe("the secrets in .dev.vars", () => {
  for (const [name, textOf] of [
    ["a byte order mark", (line: string) => `\uFEFF${line}\n`],
    ["lines that end with CRLF", (line: string) => `OTHER=1\r\n${line}\r\n`],
    ["no newline at its end", (line: string) => `OTHER=1\n${line}`],
  ] as const) {
    void it(`are kept in a file with ${name}`, () => {
      const root = mkdtempSync(join(folder, "vars-"));
      const key = makeMasterKey();
      writeFileSync(join(root, ".dev.vars"), textOf(`${MASTER_KEY}=${key}`));
      assert.equal(masterKey({}, root), key);
      const made = rootCredentials({}, root);
      assert.deepEqual([masterKey({}, root), rootCredentials({}, root)], [key, made]);
    });
  }
});

void describe("the greeting", () => {
  void it("shows no secret that was configured or created earlier", async () => {
    const cairn = await startCairn({ state: join(folder, "greeted"), credentials });
    await cairn.stop();
    assert.ok(cairn.output().includes(credentials.accessKeyId));
    assert.ok(!cairn.output().includes(credentials.secretAccessKey));
    for (const source of [{ kind: "environment" }, { kind: "file", file: "/somewhere/.dev.vars" }] as const) {
      const text = greeting("http://127.0.0.1:9000", "auto", credentials, source);
      assert.ok(!text.includes(credentials.secretAccessKey), source.kind);
      assert.match(text, /^ready http:\/\/127\.0\.0\.1:9000$/m);
      assert.ok(text.includes('AWS_SECRET_ACCESS_KEY="$CAIRN_ROOT_SECRET_ACCESS_KEY"'), text);
    }
  });

  void it("shows a secret that was just created", () => {
    const text = greeting("http://127.0.0.1:9000", "auto", credentials, { kind: "made", file: ".dev.vars" });
    assert.ok(text.includes(`AWS_SECRET_ACCESS_KEY='${credentials.secretAccessKey}'`));
  });
});

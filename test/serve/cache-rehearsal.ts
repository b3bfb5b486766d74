// Tests the edge cache of the local server: it serves repeated reads, its space is bounded, and a restart empties it.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { after, describe, it } from "node:test";
import { Requests } from "../crash/requests.ts";
import { ACCESS_KEY_ID, makeCredentials, SECRET_ACCESS_KEY } from "../../scripts/project/credentials.ts";
import { cacheBytes } from "../../scripts/serve/cache-space.ts";
import { serveCairn, type ServedCairn } from "../../scripts/serve/runtime.ts";

const SIZE = 3_000_000;
const MAX_BYTES = 2 * SIZE;
const PERIOD_MS = 100;
const credentials = makeCredentials();
const state = mkdtempSync(join(tmpdir(), "cairn-cache-"));

function serve(): Promise<ServedCairn> {
  const bindings = { [ACCESS_KEY_ID]: credentials.accessKeyId, [SECRET_ACCESS_KEY]: credentials.secretAccessKey };
  const cacheLimit = { maxBytes: MAX_BYTES, periodMs: PERIOD_MS };
  return serveCairn({ port: 0, host: "127.0.0.1", state, bindings, cacheLimit });
}

/** Waits for a condition. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let times = 0; times < 600; times += 1) {
    if (await condition()) return;
    await pause(PERIOD_MS);
  }
  assert.fail("the condition never held");
}

after(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));

void describe("the edge cache of the local server", { timeout: 120_000 }, () => {
  void it("serves repeated reads, stays within its space, and is empty after a restart", async () => {
    const cairn = await serve();
    const requests = new Requests(cairn.url, credentials);
    const body = Buffer.alloc(SIZE, "cairn");
    await requests.send("PUT", "/cache");
    await requests.send("PUT", "/cache/0", {}, body);
    const isHit = async (): Promise<boolean> => {
      const read = await requests.send("GET", "/cache/0");
      assert.deepEqual(read.body, body);
      return read.headers.get("x-cache") === "HIT";
    };
    assert.equal(await isHit(), false);
    await until(isHit);
    assert.ok(cacheBytes(state) >= SIZE);

    for (let key = 1; key <= 4; key += 1) {
      await requests.send("PUT", `/cache/${key}`, {}, body);
      await requests.send("GET", `/cache/${key}`);
    }
    await until(() => cacheBytes(state) <= MAX_BYTES);
    await until(isHit);
    await cairn.stop();

    const again = await serve();
    try {
      const read = await new Requests(again.url, credentials).send("GET", "/cache/0");
      assert.deepEqual([read.headers.get("x-cache"), read.body.length], ["MISS", SIZE]);
    } finally {
      await again.stop();
    }
  });
});

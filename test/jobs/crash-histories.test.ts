// Histories of requests whose Worker dies at a call of D1, a coordinator or R2, before or after the call is executed.
// After the windows have passed and the jobs have run, the blob store contains exactly the referenced blobs.
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { collectGarbage } from "../../src/jobs/collect-garbage.ts";
import { scanOrphans } from "../../src/jobs/scan-orphans.ts";
import { expectSoundReferences } from "../support/check-references.ts";
import { send, type RequestScope } from "../support/client.ts";
import { callLost, connectionLost, coordinatorsWith, d1With, r2With } from "../support/faults.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { storeBodiesInBlobs } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { completionOf } from "../support/multipart.ts";
import { readXml, textOf } from "../support/read-xml.ts";
import { setVersioning } from "../support/versioning.ts";

storeBodiesInBlobs();

const HOUR_MS = 3_600_000;
const REQUESTS = 60;

const log = vi.spyOn(console, "error");
beforeEach(() => void log.mockReset().mockImplementation(() => undefined));
afterEach(() => void log.mockReset());

/** Numbers below `bound`, the same for the same seed. */
function numbersOf(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Bindings of a Worker that dies at its n-th call, which is still executed or not. */
function dyingAt(call: number, isCarriedOut: boolean): RequestScope {
  let calls = 0;
  const pass = async <Answer>(error: Error, applyActions: () => Promise<Answer>): Promise<Answer> => {
    calls += 1;
    if (calls > call) throw error;
    if (calls === call && !isCarriedOut) throw error;
    const answer = await applyActions();
    if (calls >= call) throw error;
    return answer;
  };
  return {
    DB: d1With((_sql, send_) => pass(connectionLost(), send_)),
    BLOBS: r2With({
      put: (key, body, options) => pass(connectionLost(), () => env.BLOBS.put(key, body, options)),
      delete: (keys) => pass(connectionLost(), () => env.BLOBS.delete(keys)),
    }),
    COORDINATORS: coordinatorsWith((_method, send_) => pass(callLost({}), send_)),
  };
}

interface Upload {
  readonly key: string;
  readonly id: string;
  readonly etags: Map<number, string>;
}

/** Sends all kinds of requests that store, share or release bytes; most of them die midway. */
async function play(bucket: string, seed: number): Promise<void> {
  const next = numbersOf(seed);
  const uploads: Upload[] = [];
  const key = (): string => `k${next(4)}`;
  for (let turn = 0; turn < REQUESTS; turn += 1) {
    const world = next(3) === 0 ? {} : dyingAt(next(5) + 1, next(2) === 0);
    const upload = uploads[next(uploads.length)];
    const of = `/${bucket}/${upload?.key ?? ""}?uploadId=${upload?.id ?? ""}`;
    const target = `/${bucket}/${key()}`;
    const source = `/${bucket}/${key()}`;
    const request = next(10);
    if (request < 3) await send("PUT", target, { body: `body ${turn}` }, world);
    else if (request < 4) await send("DELETE", target, {}, world);
    else if (request < 5) await send("PUT", target, { headers: { "x-amz-copy-source": source } }, world);
    else if (request < 6) {
      await send("PUT", `${target}?renameObject`, { headers: { "x-amz-rename-source": source } }, world);
    } else if (request < 7) {
      const created = await send("POST", `${target}?uploads`);
      const id = textOf(readXml(await created.text()), "UploadId") ?? "";
      uploads.push({ key: target.split("/")[2] ?? "", id, etags: new Map() });
    } else if (upload !== undefined && request < 9) {
      const number = next(2) + 1;
      const isCopy = next(3) === 0;
      const options = isCopy ? { headers: { "x-amz-copy-source": source } } : { body: `part ${turn}` };
      const response = await send("PUT", `${of}&partNumber=${number}`, options, world);
      const etag = isCopy ? textOf(readXml(await response.text()), "ETag") : response.headers.get("etag");
      if (response.status === 200) upload.etags.set(number, etag ?? "");
    } else if (upload !== undefined) {
      const [part] = Array.from(upload.etags, ([partNumber, etag]) => ({ partNumber, etag }));
      if (part === undefined || next(3) === 0) await send("DELETE", of, {}, world);
      else await send("POST", of, { body: completionOf([part]) }, world);
    }
  }
  for (const { key: name, id } of uploads) await send("DELETE", `/${bucket}/${name}?uploadId=${id}`);
}

describe("after a history of crashes", () => {
  it.each([1, 2, 3, 4, 5, 6].map((seed) => [seed, seed % 3 === 0] as const))(
    "by seed %i, versioned: %s, the store contains exactly the referenced blobs",
    async (seed, isVersioned) => {
      const bucket = await freshBucket();
      if (isVersioned) await setVersioning(bucket, "Enabled");
      await play(bucket, seed);
      const share = { ORPHAN_SHARE_PERCENT: "100" };
      const now = Date.now();
      await runPass(scanOrphans, now + 25 * HOUR_MS, share);
      const { report } = await runPass(scanOrphans, now + 50 * HOUR_MS, share);
      // A history without orphans proves nothing.
      expect(report["deleted"]).toBeGreaterThan(0);
      await runPass(collectGarbage, now + 100 * HOUR_MS);
      await expectSoundReferences(bucket);
      const { garbage } = await storedStateOf(bucket);
      expect(garbage).toEqual([]);
    },
  );
});

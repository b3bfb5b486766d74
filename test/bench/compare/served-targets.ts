// Serves Cairn and the bare Worker in one runtime, with the buckets that the listings read.
import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { listedBucket, listedKey } from "./workloads.ts";
import { Target } from "./target.ts";
import { copyRows } from "../population.ts";
import { CREDENTIALS } from "../signer.ts";
import { temporaryState } from "../temporary-state.ts";
import { timeOrderedId } from "../../../src/bytes/random-id.ts";
import { nextVersionId } from "../../../src/protocol/core/version-id.ts";
import { openState } from "../../../scripts/maintenance/open-state.ts";
import { readWranglerToml } from "../../../scripts/project/wrangler-toml.ts";
import { bundleWorker } from "../../../scripts/serve/bundle.ts";
import type { ServedCairn } from "../../../scripts/serve/runtime.ts";
import { serveMeasured } from "../serve-measured.ts";

/** The target with blobs as files. */
export const ON_FILES = "Cairn on files";
/** The target with small bodies in the database. */
export const INLINE = "Cairn --inline";
const TEMPLATE_KEY = "template";
const ROWS_PER_STATEMENT = 4000;

export interface ServedTargets {
  readonly cairn: Target;
  readonly bare: Target;
  stop(): Promise<void>;
}

/** Starts both. */
export async function serveTargets(listedKeys: readonly number[]): Promise<ServedTargets> {
  const state = temporaryState();
  const filling = await serve(state, []);
  try {
    const cairn = cairnTarget(filling);
    for (const keys of listedKeys) {
      await cairn.send({ method: "PUT", path: `/${listedBucket(keys)}` });
      const body = Buffer.from("a");
      await cairn.send({ method: "PUT", path: `/${listedBucket(keys)}/${TEMPLATE_KEY}`, body });
    }
  } finally {
    await filling.stop();
  }
  for (const keys of listedKeys) await fillCairn(state, keys);
  const served = await serve(state, [await bareWorker()]);
  const pid = served.workerdPid();
  const bare = new Target({
    name: "bare",
    url: await served.urlOf("bare"),
    key: undefined,
    pid: () => pid,
    maxListedKeys: Infinity,
  });
  await bare.send({ method: "POST", path: "/", query: { create: "" } });
  for (const keys of listedKeys) {
    await bare.send({ method: "POST", path: `/${listedBucket(keys)}`, query: { fill: String(keys) } });
  }
  return { cairn: cairnTarget(served), bare, stop: () => served.stop() };
}

/** Starts Cairn with blobs as files, as `npm start` does: the fair comparison with servers that store files. */
export async function serveOnFiles(maxListedKeys: number): Promise<{ target: Target; stop: () => Promise<void> }> {
  const served = await serveMeasured({ blobs: "disk" });
  return { target: cairnTarget(served, ON_FILES, maxListedKeys), stop: () => served.stop() };
}

/** Starts Cairn with bodies of up to this many bytes in the database. */
export async function serveInline(
  bytes: string,
  maxListedKeys: number,
): Promise<{ target: Target; stop: () => Promise<void> }> {
  const served = await serveMeasured({ bindings: { INLINE_MAX_BYTES: bytes } });
  return { target: cairnTarget(served, INLINE, maxListedKeys), stop: () => served.stop() };
}

async function serve(state: string, beside: V4WorkerOptions[]): Promise<ServedCairn> {
  return serveMeasured({
    state,
    beside,
  });
}

function cairnTarget(served: ServedCairn, name = "Cairn", maxListedKeys = Infinity): Target {
  // Of several runtimes, this one was started last.
  const process = served.workerdPid();
  return new Target({ name, url: served.url, key: CREDENTIALS, pid: () => process, maxListedKeys });
}

/** The bare Worker, for a runtime that serves Cairn. */
export async function bareWorker(): Promise<V4WorkerOptions> {
  const contents = await bundleWorker(join(import.meta.dirname, "..", "bare-worker.ts"));
  return {
    name: "bare",
    modules: [{ type: "ESModule", path: "bare-worker.js", contents }],
    modulesRoot: "/",
    compatibilityDate: readWranglerToml().compatibilityDate,
    d1Databases: { DB: "bare" },
    r2Buckets: { BLOBS: "bare" },
    durableObjects: { COMMITTER: { className: "BareCommitter", useSQLite: true } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** Fills a listed bucket with copies of the row that a request wrote. */
async function fillCairn(state: string, keys: number): Promise<void> {
  const open = await openState(state);
  try {
    const find = open.database.prepare("SELECT id FROM buckets WHERE name = ?").bind(listedBucket(keys));
    const bucketId = (await find.first<string>("id")) ?? "";
    const objects = await copyRows(open.database, "objects", bucketId, TEMPLATE_KEY);
    const now = Date.now();
    for (let start = 0; start < keys; start += ROWS_PER_STATEMENT) {
      const rows = Array.from({ length: Math.min(ROWS_PER_STATEMENT, keys - start) }, (_, index) => ({
        key: listedKey(start + index),
        version_id: nextVersionId(now, undefined),
        size: 1,
        modified_at: now,
        blob_id: `${bucketId}/${timeOrderedId(now)}`,
        tags: null,
      }));
      await open.database.batch([objects(rows)]);
    }
    await open.database
      .prepare("DELETE FROM objects WHERE bucket_id = ? AND key = ?")
      .bind(bucketId, TEMPLATE_KEY)
      .run();
  } finally {
    await open.close();
  }
}

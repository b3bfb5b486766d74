// Opens a state folder, served or not: its database and blobs in a runtime of their own, with a Worker that shares
// Cairn's code.
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readWranglerToml } from "../project/wrangler-toml.ts";
import { chooseStore } from "../disk/chosen-store.ts";
import { DISK_BINDING, startDiskServer } from "../disk/disk-server.ts";
import { bundleWorker, workerModules } from "../serve/bundle.ts";
import { boundDatabases, stateDatabases } from "../serve/databases.ts";
import { closeMiniflaresEntry } from "../serve/entry-guard.ts";
import { QuietLog } from "../serve/quiet-log.ts";
import { tieWorkerdToThisProcess } from "../serve/workerd.ts";

const WORKER = join(import.meta.dirname, "worker", "worker.ts");

/** An open state folder. */
export interface OpenState {
  /** The first database. */
  readonly database: Awaited<ReturnType<Miniflare["getD1Database"]>>;
  readonly databases: readonly Awaited<ReturnType<Miniflare["getD1Database"]>>[];
  readonly blobs: Awaited<ReturnType<Miniflare["getR2Bucket"]>>;
  /** Requests a path of the Worker and returns the JSON of its response. Rejects with the Worker's error message. */
  request(path: string, body?: string): Promise<unknown>;
  close(): Promise<void>;
}

/** @param bindings settings for the Worker */
export async function openState(state: string, bindings: Readonly<Record<string, string>> = {}): Promise<OpenState> {
  const toml = readWranglerToml();
  const { r2, compatibilityDate, compatibilityFlags } = toml;
  const names = stateDatabases(state, toml);
  tieWorkerdToThisProcess();
  closeMiniflaresEntry();
  const log = new QuietLog();
  const disk = chooseStore(state, undefined) === "r2" ? undefined : await startDiskServer(state, { fsync: true });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log,
      cf: false,
      telemetry: { enabled: false },
      unsafeObservability: false,
      resourcePersistencePath: state,
      workers: [
        {
          // The server stores its state under this name.
          name: "cairn",
          modules: workerModules(await bundleWorker(WORKER)),
          modulesRoot: "/",
          compatibilityDate,
          compatibilityFlags: [...compatibilityFlags],
          bindings: { ...bindings },
          d1Databases: boundDatabases(names),
          r2Buckets: { [r2.binding]: r2.binding },
          serviceBindings: disk === undefined ? {} : { [DISK_BINDING]: disk.binding },
        },
      ],
    }),
  );
  const [database, ...others] = await Promise.all(names.map((name) => miniflare.getD1Database(name)));
  if (database === undefined) throw new Error("the state folder has no database");
  return {
    database,
    databases: [database, ...others],
    blobs: await miniflare.getR2Bucket(r2.binding),
    async request(path, body) {
      const worker = await miniflare.getWorker();
      const response = await worker.fetch(`http://cairn${path}`, body === undefined ? {} : { method: "POST", body });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    },
    async close() {
      log.silence();
      await miniflare.dispose();
      await disk?.stop();
    },
  };
}

// Runs Cairn in the Workers runtime on this machine: Miniflare's simulators behind a direct socket of workerd. The
// proxies of `wrangler dev` are not involved, because they rewrite paths and encodings. It knows neither terminal nor
// credentials.
import { once } from "node:events";
import { createServer } from "node:net";
import { type Log, Miniflare, type V4WorkerOptions, convertV4MiniflareOptions } from "miniflare";
import { SETTINGS } from "../../src/config/settings.ts";
import { CONSOLE_FILES, isConsoleBuilt } from "../project/console-files.ts";
import { type RateLimitDeclarations, type WranglerToml, readWranglerToml } from "../project/wrangler-toml.ts";
import { chooseStore } from "../disk/chosen-store.ts";
import { deleteIncompleteUploads, DISK_BINDING, type DiskServer, startDiskServer } from "../disk/disk-server.ts";
import type { LocalStore } from "../disk/local-stores.ts";
import { bundleWorker, workerModules } from "./bundle.ts";
import { emptyCache, limitCache } from "./cache-space.ts";
import { boundDatabases, stateDatabases } from "./databases.ts";
import { closeMiniflaresEntry } from "./entry-guard.ts";
import { applyMigrations } from "./migrations.ts";
import { QuietLog } from "./quiet-log.ts";
import { lockState } from "./state-lock.ts";
import { tieWorkerdToThisProcess, workerdChildren } from "./workerd.ts";

/** The Miniflare name of the Worker. It never changes, because folders of the state are named after it. */
export const WORKER = "cairn";
const SCHEDULER = "scheduler";
const PROBE_TIMEOUT_MS = 15_000;

export interface ServeOptions {
  /** 0 picks a free port. */
  readonly port: number;
  readonly host: string;
  /** The folder of all stored data. */
  readonly state: string;
  /** The least number of databases; a state folder keeps those that it has. */
  readonly databases?: number;
  /** Where blobs are; by default in the store that the folder has, else on the disk. */
  readonly blobs?: LocalStore | undefined;
  /** Whether the disk store syncs files. */
  readonly fsync?: boolean;
  /** Settings, including the root credentials. */
  readonly bindings: Readonly<Record<string, string>>;
  /** The entry file of another Worker in Cairn's place; by default that of wrangler.toml. */
  readonly main?: string;
  /** More Workers in the same runtime, for comparisons. `urlOf` finds them by `name`. */
  readonly beside?: readonly V4WorkerOptions[];
  /** The bindings of queues, each to the queue of that name. A Worker in `beside` consumes them. */
  readonly queues?: readonly string[];
  /** The platform's rate limiters; by default those of wrangler.toml. */
  readonly rateLimits?: RateLimitDeclarations;
  /** Receives the Workers' log line by line; by default the log goes to the terminal. */
  readonly onLog?: (line: string) => void;
  /** Opens the runtime's inspector on a free port of this machine. */
  readonly isInspected?: boolean;
  /** The space of the edge cache, and how often it is measured. */
  readonly cacheLimit?: { readonly maxBytes: number; readonly periodMs: number };
}

export interface ServedCairn {
  /** The endpoint, without a trailing slash. */
  readonly url: string;
  /** The names of the migrations that this start applied. */
  readonly migrated: readonly string[];
  /** The address of a Worker in `beside`. */
  urlOf(name: string): Promise<string>;
  /** The address of the open inspector. */
  inspectorUrl(): Promise<URL>;
  /** Runs the Worker's scheduled handler. Rejects unless it ends with outcome `ok`. */
  runScheduled(cron: string): Promise<void>;
  /** The process id of the runtime, if it can be found. It changes when the runtime crashes and restarts. */
  workerdPid(): number | undefined;
  /** Stops the runtime. All acknowledged writes are on disk by then. */
  stop(): Promise<void>;
}

/** Serves Cairn until `stop` is called. Resolves once the Worker has answered a request. */
export async function serveCairn(options: ServeOptions): Promise<ServedCairn> {
  const toml = readWranglerToml();
  await assertPortIsFree(options.host, options.port);
  const unlock = await lockState(options.state);
  emptyCache(options.state);
  const databases = stateDatabases(options.state, toml, options.databases);
  tieWorkerdToThisProcess();
  const log = new QuietLog();
  const disk = await openDisk(options).catch((error: unknown) => {
    unlock();
    throw error;
  });
  const bundle = bundleWorker(options.main ?? toml.main);
  // It is awaited below; an earlier failure must not become an unhandled rejection.
  bundle.catch(() => undefined);
  // Migrations run first, in a runtime without a port, so that no request reaches the Worker before its schema.
  closeMiniflaresEntry();
  const miniflare = newMiniflare(miniflareOptions(options, log, [databaseOnly(toml, databases)]));
  const namespace = options.bindings["EDGE_CACHE_NAMESPACE"] || SETTINGS.EDGE_CACHE_NAMESPACE.default;
  const stopLimit = limitCache(options.state, () => miniflare.purgeCache(namespace), options.cacheLimit);
  const stop = async (): Promise<void> => {
    stopLimit();
    log.silence();
    try {
      await miniflare.dispose();
    } finally {
      await disk?.stop();
      unlock();
    }
  };
  try {
    const migrated = new Set<string>();
    for (const name of databases) {
      const database = await miniflare.getD1Database(name);
      for (const migration of await applyMigrations(database, toml.d1.migrationsDir)) migrated.add(migration);
    }
    const worker = cairnWorker(toml, options, databases, await bundle, disk);
    await miniflare.setOptions(miniflareOptions(options, log, [worker, scheduler(toml), ...(options.beside ?? [])]));
    const { port } = await miniflare.unsafeGetDirectURL(WORKER);
    const url = `http://${reachableHost(options.host)}:${port}`;
    await probe(url);
    return {
      url,
      migrated: Array.from(migrated),
      urlOf: async (name) => (await miniflare.unsafeGetDirectURL(name)).origin,
      inspectorUrl: () => miniflare.getInspectorURL(),
      runScheduled: async (cron) => {
        const { fetch: tick } = await miniflare.getWorker(SCHEDULER);
        const outcome = await (await tick(`http://${SCHEDULER}`, { method: "POST", body: cron })).text();
        if (outcome !== "ok") throw new Error(`the scheduled handler ended with outcome ${outcome}`);
      },
      workerdPid: () => workerdChildren(process.pid).at(-1),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function miniflareOptions(options: ServeOptions, log: Log, workers: V4WorkerOptions[]) {
  const { onLog, isInspected = false } = options;
  return convertV4MiniflareOptions({
    log,
    // Miniflare's own entry, which serves only this process, on any free port.
    host: "127.0.0.1",
    port: 0,
    cf: false,
    logRequests: false,
    telemetry: { enabled: false },
    unsafeObservability: false,
    ...(onLog === undefined ? {} : { handleStructuredLogs: ({ message }) => onLog(message) }),
    ...(isInspected ? { inspectorPort: 0 } : {}),
    resourcePersistencePath: options.state,
    workers,
  });
}

/**
 * Resources are named after their bindings, which never change, so that the state survives renames in wrangler.toml.
 */
function databaseOnly(toml: WranglerToml, databases: readonly string[]): V4WorkerOptions {
  return {
    name: WORKER,
    modules: [{ type: "ESModule", path: "worker.js", contents: "export default {};" }],
    modulesRoot: "/",
    compatibilityDate: toml.compatibilityDate,
    d1Databases: boundDatabases(databases),
  };
}

/** Starts the disk store, unless the folder's blobs are in the R2 simulator. Call it with the folder locked. */
async function openDisk({ state, blobs, fsync = false }: ServeOptions): Promise<DiskServer | undefined> {
  if (chooseStore(state, blobs) === "r2") return undefined;
  deleteIncompleteUploads(state);
  return startDiskServer(state, { fsync });
}

function cairnWorker(
  toml: WranglerToml,
  { host, port, bindings, queues = [], rateLimits = toml.rateLimits }: ServeOptions,
  databases: readonly string[],
  bundle: string,
  disk: DiskServer | undefined,
): V4WorkerOptions {
  return {
    ...databaseOnly(toml, databases),
    modules: workerModules(bundle),
    compatibilityFlags: [...toml.compatibilityFlags],
    // A local server has no edge, whatever [vars] declares for deployments.
    bindings: { ...bindings, EDGE: "none" },
    r2Buckets: { [toml.r2.binding]: toml.r2.binding },
    queueProducers: Object.fromEntries(queues.map((name) => [name, name])),
    ratelimits: rateLimits,
    durableObjects: Object.fromEntries(
      toml.durableObjects.map(({ binding, className }) => [binding, { className, useSQLite: true }]),
    ),
    serviceBindings: { ...(disk === undefined ? {} : { [DISK_BINDING]: disk.binding }), ...consoleFiles() },
    unsafeDirectSockets: [{ host, port }],
  };
}

/**
 * Binds the files of the web console, if they were built. The simulator of Cloudflare's static assets would take every
 * request before the Worker does, and rewrite it.
 */
function consoleFiles(): NonNullable<V4WorkerOptions["serviceBindings"]> {
  if (!isConsoleBuilt()) return {};
  return { ASSETS: { disk: { path: CONSOLE_FILES, writable: false } } };
}

/**
 * Calls the scheduled handler on request. Miniflare's own way would block this process until the handler ends, so that
 * Ctrl-C would have no effect.
 */
function scheduler({ compatibilityDate }: WranglerToml): V4WorkerOptions {
  const contents = `export default {
    async fetch(request, { CAIRN }) {
      const { outcome } = await CAIRN.scheduled({ cron: await request.text(), scheduledTime: new Date() });
      return new Response(outcome);
    },
  };`;
  return {
    name: SCHEDULER,
    modules: [{ type: "ESModule", path: "scheduler.js", contents }],
    modulesRoot: "/",
    compatibilityDate,
    compatibilityFlags: ["service_binding_extra_handlers"],
    serviceBindings: { CAIRN: WORKER },
  };
}

/** Removes the signal handlers of Miniflare, which exit with an error. The caller decides how to stop. */
function newMiniflare(options: ConstructorParameters<typeof Miniflare>[0]): Miniflare {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const before = new Set(signals.flatMap((signal) => process.listeners(signal)));
  const miniflare = new Miniflare(options);
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.has(listener)) process.removeListener(signal, listener);
    }
  }
  return miniflare;
}

/** Checks the port before starting anything, because the runtime would fail later and less clearly. */
export async function assertPortIsFree(host: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") throw new Error(`port ${port} of ${host} is in use`, { cause: error });
    throw error;
  }
  server.close();
  await once(server, "close");
}

/** The host name that reaches a server on `host` from this machine. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function probe(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  await response.body?.cancel();
}

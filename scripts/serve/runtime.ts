// Runs Cairn in the Workers runtime on this machine: Miniflare's simulators behind a direct socket of workerd, without the
// proxies of `wrangler dev`, which rewrite paths and encodings. It knows nothing of the terminal or of credentials.
import { once } from "node:events";
import { createServer } from "node:net";
import { type Log, Miniflare, type V4WorkerOptions, convertV4MiniflareOptions } from "miniflare";
import { type WranglerToml, readWranglerToml } from "../project/wrangler-toml.ts";
import { bundleWorker } from "./bundle.ts";
import { closeMiniflaresEntry } from "./entry-guard.ts";
import { applyMigrations } from "./migrations.ts";
import { QuietLog } from "./quiet-log.ts";
import { lockState } from "./state-lock.ts";
import { tieWorkerdToThisProcess, workerdChildren } from "./workerd.ts";

/** The Miniflare name of the Worker. Fixed, since folders of the state are named after it. */
export const WORKER = "cairn";
const SCHEDULER = "scheduler";
const PROBE_TIMEOUT_MS = 15_000;

export interface ServeOptions {
  /** 0 picks a free port. */
  readonly port: number;
  readonly host: string;
  /** The folder of everything that is stored. */
  readonly state: string;
  /** Settings, the root credentials among them. */
  readonly bindings: Readonly<Record<string, string>>;
  /** More Workers for the same runtime, for comparisons; their `name` finds them in `urlOf`. */
  readonly beside?: readonly V4WorkerOptions[];
  /** Takes what the Workers log, line by line; otherwise it goes to the terminal. */
  readonly onLog?: (line: string) => void;
  /** Opens the runtime's inspector, on any free port of this machine. */
  readonly isInspected?: boolean;
}

export interface ServedCairn {
  /** The endpoint, without a trailing slash. */
  readonly url: string;
  /** The names of the migrations that this start applied. */
  readonly migrated: readonly string[];
  /** The address of a Worker given as `beside`. */
  urlOf(name: string): Promise<string>;
  /** The address of the inspector, if it is open. */
  inspectorUrl(): Promise<URL>;
  /** Runs the Worker's scheduled handler; rejects when it does not end well. */
  runScheduled(cron: string): Promise<void>;
  /** The process id of the runtime, where it can be found. It changes when the runtime crashes and is restarted. */
  workerdPid(): number | undefined;
  /** Stops the runtime. What was acknowledged is on disk by then. */
  stop(): Promise<void>;
}

/** Serves Cairn until `stop` is called; resolves once the Worker has answered a request. */
export async function serveCairn(options: ServeOptions): Promise<ServedCairn> {
  const toml = readWranglerToml();
  await assertPortIsFree(options.host, options.port);
  const unlock = await lockState(options.state);
  tieWorkerdToThisProcess();
  const log = new QuietLog();
  const bundle = bundleWorker(toml.main);
  // Awaited further down; a bundle that fails earlier than that is no unhandled rejection.
  bundle.catch(() => undefined);
  // The migrations come first, in a runtime that has the database but no door: nothing reaches the Worker before its schema.
  closeMiniflaresEntry();
  const miniflare = newMiniflare(miniflareOptions(options, log, [databaseOnly(toml)]));
  const stop = async (): Promise<void> => {
    log.silence();
    try {
      await miniflare.dispose();
    } finally {
      unlock();
    }
  };
  try {
    const migrated = await applyMigrations(await miniflare.getD1Database(toml.d1.binding), toml.d1.migrationsDir);
    const worker = cairnWorker(toml, options, await bundle);
    await miniflare.setOptions(miniflareOptions(options, log, [worker, scheduler(toml), ...(options.beside ?? [])]));
    const { port } = await miniflare.unsafeGetDirectURL(WORKER);
    const url = `http://${reachableHost(options.host)}:${port}`;
    await probe(url);
    return {
      url,
      migrated,
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
    // Miniflare's own entry, which serves this process alone: any free port of this machine.
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

/** The resources are named after their bindings, which never change, so that the state outlives a renaming in wrangler.toml. */
function databaseOnly(toml: WranglerToml): V4WorkerOptions {
  return {
    name: WORKER,
    modules: [{ type: "ESModule", path: "worker.js", contents: "export default {};" }],
    modulesRoot: "/",
    compatibilityDate: toml.compatibilityDate,
    d1Databases: { [toml.d1.binding]: toml.d1.binding },
  };
}

function cairnWorker(toml: WranglerToml, { host, port, bindings }: ServeOptions, bundle: string): V4WorkerOptions {
  return {
    ...databaseOnly(toml),
    modules: [{ type: "ESModule", path: "worker.js", contents: bundle }],
    compatibilityFlags: [...toml.compatibilityFlags],
    // There is no edge here, whatever [vars] says of a deployment.
    bindings: { ...bindings, EDGE: "none" },
    r2Buckets: { [toml.r2.binding]: toml.r2.binding },
    durableObjects: Object.fromEntries(
      toml.durableObjects.map(({ binding, className }) => [binding, { className, useSQLite: true }]),
    ),
    unsafeDirectSockets: [{ host, port }],
  };
}

/**
 * Calls the scheduled handler when it is asked to. Miniflare can do that itself, but then this process stands still until
 * the handler has ended, and hears no Ctrl-C.
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

/** Miniflare answers signals by ending the process with an error; here whoever serves decides, so its listeners go. */
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

/** Asks for the port before anything is started, for an answer in a moment instead of a runtime that fails to start. */
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

/** The host under which a server that listens on `host` is reached from this machine. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

async function probe(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  await response.body?.cancel();
}

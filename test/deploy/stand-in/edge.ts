// The edge of the stand-in: runs the Worker that was deployed last, in the Workers runtime, on the same D1 database that
// the stand-in's API fills. It serves every request on one port of this machine.
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { LogLevel, Log, Miniflare, type V4WorkerOptions, convertV4MiniflareOptions } from "miniflare";
import { type Account, type Version, deployedVersion } from "./account.ts";

export interface Edge {
  /** What CAIRN_DEPLOY_EDGE is set to. */
  readonly url: string;
  /** The file of the database that the Worker has as DB. */
  readonly databaseFile: string;
  stop(): Promise<void>;
}

/** Starts the edge; it serves what is deployed as `worker` by the time of the first request. */
export async function startEdge(account: () => Account, worker: string, state: string): Promise<Edge> {
  const empty: V4WorkerOptions = {
    name: worker,
    modules: [{ type: "ESModule", path: "empty.js", contents: "export default {};" }],
    modulesRoot: "/",
    compatibilityDate: "2026-10-20",
    d1Databases: { DB: "DB" },
  };
  const miniflare = new Miniflare(options(state, empty));
  const database = await miniflare.getD1Database("DB");
  // The file is made by the first write.
  await database.prepare("CREATE TABLE d1_migrations_probe (a)").run();
  await database.prepare("DROP TABLE d1_migrations_probe").run();
  let served: Version | undefined;
  const server = createServer((_request, answer) => {
    void (async () => {
      const version = deployedVersion(account().workers.get(worker));
      if (version !== undefined && version !== served) {
        served = version;
        await miniflare.setOptions(options(state, workerOf(version, empty)));
      }
      const response = await miniflare.dispatchFetch("http://cairn.example.workers.dev/cairn-deployment");
      answer.writeHead(response.status).end(await response.text());
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    databaseFile: databaseFileIn(state),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await miniflare.dispose();
    },
  };
}

function options(state: string, worker: V4WorkerOptions) {
  return convertV4MiniflareOptions({
    log: new Log(LogLevel.NONE),
    cf: false,
    logRequests: false,
    telemetry: { enabled: false },
    unsafeObservability: false,
    handleStructuredLogs: () => undefined,
    resourcePersistencePath: state,
    workers: [worker],
  });
}

function workerOf(version: Version, empty: V4WorkerOptions): V4WorkerOptions {
  const decoder = new TextDecoder();
  const files = [...version.modules].filter(([name]) => !name.endsWith(".map"));
  const main = files.find(([name]) => name === version.mainModule);
  const others = files.filter(([name]) => name !== version.mainModule);
  return {
    ...empty,
    modules: [
      { type: "ESModule", path: version.mainModule, contents: decoder.decode(main?.[1]) },
      ...others.map(([path, bytes]) =>
        path.endsWith(".wasm")
          ? { type: "CompiledWasm" as const, path, contents: new Uint8Array(bytes) }
          : { type: "Text" as const, path, contents: decoder.decode(bytes) },
      ),
    ],
    r2Buckets: { BLOBS: "BLOBS" },
    durableObjects: { COORDINATORS: { className: "KeyCoordinator", useSQLite: true } },
  };
}

function databaseFileIn(state: string): string {
  const files = readdirSync(state, { recursive: true, encoding: "utf8" });
  const file = files.find((name) => /d1/i.test(name) && /[0-9a-f]{64}\.sqlite$/.test(name));
  if (file === undefined) throw new Error(`no database in ${files.join(", ")}`);
  return join(state, file);
}

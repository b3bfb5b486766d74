// Serves two releases in one runtime, with one database and one blob store, and the coordinators of either.
import { createHash } from "node:crypto";
import { AwsClient } from "aws4fetch";
import {
  type Log,
  LogLevel,
  Log as MiniflareLog,
  Miniflare,
  type V4WorkerOptions,
  convertV4MiniflareOptions,
} from "miniflare";
import { sqlStatements } from "../../src/state/d1/sql-statements.ts";
import type { Migration } from "../migrations/folder.ts";
import { type Credentials, makeCredentials } from "../project/credentials.ts";
import { makeMasterKey } from "../project/master-key.ts";
import { workerModules } from "../serve/bundle.ts";

export interface Release {
  readonly name: "previous" | "current";
  readonly bundle: string;
  readonly compatibilityDate: string;
  /** The release whose coordinators this release's Worker calls. */
  readonly coordinators: "previous" | "current";
  readonly settings?: Readonly<Record<string, string>>;
}

export interface ServedReleases {
  /** Signs a request and sends it to a release. */
  send(release: Release["name"], method: string, target: string, init?: RequestInit): Promise<Response>;
  /** Runs a release's scheduled handler. */
  tick(release: Release["name"], time: Date): Promise<void>;
  migrate(migrations: readonly Migration[]): Promise<void>;
  stop(): Promise<void>;
}

/** Serves two releases until `stop` is called. */
export function serveReleases(releases: readonly Release[]): ServedReleases {
  const credentials = makeCredentials();
  const workers = releases.map((release) => workerOf(release, credentials));
  const log: Log = new MiniflareLog(LogLevel.NONE);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log,
      cf: false,
      logRequests: false,
      telemetry: { enabled: false },
      unsafeObservability: false,
      handleStructuredLogs: () => undefined,
      workers,
    }),
  );
  const client = new AwsClient({ ...credentials, service: "s3", region: "us-east-1" });
  return {
    async send(release, method, target, init = {}) {
      const { origin } = await miniflare.unsafeGetDirectURL(release);
      const { body } = init;
      const md5 = typeof body === "string" ? createHash("md5").update(body).digest("base64") : undefined;
      const headers = {
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        ...(md5 === undefined ? {} : { "content-md5": md5 }),
        ...Object(init.headers),
      };
      return fetch(await client.sign(`${origin}${target}`, { ...init, method, headers, aws: { allHeaders: true } }));
    },
    async tick(release, time) {
      const worker = await miniflare.getWorker(release);
      const { outcome } = await worker.scheduled({ cron: "*/5 * * * *", scheduledTime: time });
      if (outcome !== "ok") throw new Error(`the scheduled handler of the ${release} release ended with ${outcome}`);
    },
    async migrate(migrations) {
      const database = await miniflare.getD1Database("DB", "current");
      for (const { sql } of migrations) {
        await database.batch(sqlStatements(sql).map((statement) => database.prepare(statement)));
      }
    },
    stop: () => miniflare.dispose(),
  };
}

function workerOf(
  { name, bundle, compatibilityDate, coordinators, settings }: Release,
  credentials: Credentials,
): V4WorkerOptions {
  const className = "KeyCoordinator";
  return {
    name,
    modules: workerModules(bundle, `${name}.js`),
    modulesRoot: "/",
    compatibilityDate,
    bindings: {
      CAIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      CAIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      CAIRN_MASTER_KEY: makeMasterKey(),
      ...settings,
    },
    d1Databases: { DB: "shared" },
    r2Buckets: { BLOBS: "shared" },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    durableObjects: {
      COORDINATORS: { className, useSQLite: true, ...(coordinators === name ? {} : { scriptName: coordinators }) },
      // The other release can use this class only if this Worker binds it.
      ...(coordinators === name ? {} : { OWN_COORDINATORS: { className, useSQLite: true } }),
    },
  };
}

// The state of a Cloudflare account in the stand-in of the API.
import { randomBytes, randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";

/** A permission of an API token, as the dashboard names it. */
export type Permission = "Workers Scripts" | "D1" | "Workers R2 Storage" | "Account Settings";

export interface D1 {
  readonly uuid: string;
  readonly name: string;
  readonly location: string | undefined;
  readonly sqlite: DatabaseSync;
}

export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Version {
  readonly id: string;
  readonly number: number;
  readonly createdOn: string;
  readonly bindings: readonly Binding[];
  readonly modules: ReadonlyMap<string, Uint8Array>;
  readonly mainModule: string;
  readonly compatibilityDate: string;
  /** The static assets by their paths; undefined if it has none. */
  readonly assets: ReadonlyMap<string, Uint8Array> | undefined;
  readonly limits: unknown;
  readonly placement: unknown;
}

export interface Deployment {
  readonly id: string;
  readonly createdOn: string;
  readonly versions: readonly { readonly version_id: string; readonly percentage: number }[];
  readonly codeUpdateStrategy: unknown;
  readonly message: string | undefined;
}

export interface Worker {
  readonly name: string;
  readonly tag: string;
  migrationTag: string | undefined;
  readonly durableObjectClasses: Set<string>;
  readonly versions: Version[];
  /** The newest first. */
  readonly deployments: Deployment[];
  crons: readonly string[];
  isOnWorkersDev: boolean;
  hasPreviews: boolean;
  observability: unknown;
  /** The patterns of its routes. */
  routes: readonly string[];
}

/** An upload of static assets in progress. */
export interface AssetSession {
  readonly worker: string;
  readonly files: ReadonlyMap<string, { readonly hash: string; readonly size: number }>;
  readonly missing: Set<string>;
  isComplete: boolean;
}

export interface Account {
  readonly id: string;
  readonly name: string;
  plan: "free" | "paid";
  isR2Enabled: boolean;
  subdomain: string | undefined;
  readonly databases: D1[];
  readonly buckets: Map<string, { readonly location: string | undefined }>;
  readonly workers: Map<string, Worker>;
  /** The names of its zones. */
  readonly zones: readonly string[];
  /** The Worker of each custom domain. */
  readonly customDomains: Map<string, string>;
  /** Files of static assets by their hashes. */
  readonly assets: Map<string, Uint8Array>;
  /** By their tokens. */
  readonly assetSessions: Map<string, AssetSession>;
}

export function newAccount(
  given: Partial<Pick<Account, "name" | "plan" | "isR2Enabled" | "subdomain" | "zones">> = {},
): Account {
  return {
    id: randomBytes(16).toString("hex"),
    name: "Example",
    plan: "paid",
    isR2Enabled: true,
    subdomain: "example",
    databases: [],
    buckets: new Map(),
    workers: new Map(),
    zones: [],
    customDomains: new Map(),
    assets: new Map(),
    assetSessions: new Map(),
    ...given,
  };
}

export function newDatabase(name: string, location?: string, file = ":memory:"): D1 {
  return { uuid: randomUUID(), name, location, sqlite: new DatabaseSync(file) };
}

/** The deployed version, if any. */
export function deployedVersion(worker: Worker | undefined): Version | undefined {
  const id = worker?.deployments[0]?.versions[0]?.version_id;
  return worker?.versions.find((version) => version.id === id);
}

/** The values of the deployed Worker's secrets. */
export function secretsOf(worker: Worker | undefined): Readonly<Record<string, string>> {
  const bindings = deployedVersion(worker)?.bindings ?? [];
  return Object.fromEntries(
    bindings.filter(({ type }) => type === "secret_text").map(({ name, text }) => [name, String(text)]),
  );
}

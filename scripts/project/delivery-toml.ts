// Reads wrangler.delivery.toml, which declares the Worker that only delivers (docs/delivery.md). Its databases, its bucket
// and its settings are those of wrangler.toml, so that both Workers always agree on them.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";
import { PROJECT_ROOT, type WranglerToml } from "./wrangler-toml.ts";

/** A route of the Worker. */
export interface Route {
  /** Without the path; may begin with `*.`. */
  readonly host: string;
  readonly isCustomDomain: boolean;
}

export interface DeliveryToml extends WranglerToml {
  readonly routes: readonly Route[];
}

const FILE = "wrangler.delivery.toml";

/** @returns undefined if the project has no such file */
export function readDeliveryToml(s3: WranglerToml, root: string = PROJECT_ROOT): DeliveryToml | undefined {
  const file = join(root, FILE);
  if (!existsSync(file)) return undefined;
  const own = parse(readFileSync(file, "utf8"));
  const { name, main } = own;
  if (typeof name !== "string" || typeof main !== "string") throw new Error(`${FILE}: name or main is missing`);
  if (name === s3.name) throw new Error(`${FILE}: the name ${name} is the one of wrangler.toml`);
  const vars = { ...s3.vars, ...ownVars(own["vars"], s3) };
  const document = {
    ...own,
    compatibility_date: s3.compatibilityDate,
    ...(s3.compatibilityFlags.length === 0 ? {} : { compatibility_flags: s3.compatibilityFlags }),
    d1_databases: s3.document["d1_databases"],
    r2_buckets: s3.document["r2_buckets"],
    vars,
  };
  return {
    ...s3,
    name,
    main: resolve(root, main),
    isOnWorkersDev: own["workers_dev"] !== false,
    vars,
    crons: [],
    durableObjects: [],
    document,
    routes: [own["routes"] ?? own["route"] ?? []].flat().map(readRoute),
  };
}

/** The file's own settings. @throws Error if it delivers other hosts than wrangler.toml says */
function ownVars(vars: unknown, s3: WranglerToml): Record<string, string> {
  const own = Object.entries(Object(vars)).map(([name, value]) => [name, String(value)] as const);
  const hosts = own.find(([name]) => name === "DELIVERY")?.[1] ?? "";
  if (hosts !== "" && hosts !== s3.vars["DELIVERY"]) {
    throw new Error(`${FILE}: DELIVERY is not the one of wrangler.toml, which alone is needed: remove it here`);
  }
  return Object.fromEntries(own.filter(([name]) => name !== "DELIVERY"));
}

function readRoute(route: unknown): Route {
  const pattern: unknown = typeof route === "string" ? route : Reflect.get(Object(route), "pattern");
  if (typeof pattern !== "string") throw new Error(`${FILE}: a route has no pattern`);
  const [host = ""] = pattern.replace(/^https?:\/\//, "").split("/");
  return { host: host.toLowerCase(), isCustomDomain: Reflect.get(Object(route), "custom_domain") === true };
}

// Reads wrangler.toml, so that the local server and the deployment use the same declarations. It uses a TOML parser
// because importing wrangler's own reader would add a second to every start.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "smol-toml";

/** The folder of package.json and wrangler.toml. Rehearsals override it with CAIRN_PROJECT_ROOT. */
export const PROJECT_ROOT = process.env["CAIRN_PROJECT_ROOT"] ?? resolve(import.meta.dirname, "..", "..");

/** The declarations in wrangler.toml that the scripts use. */
export interface WranglerToml {
  readonly name: string;
  readonly main: string;
  readonly accountId: string | undefined;
  readonly isOnWorkersDev: boolean;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly vars: Readonly<Record<string, string>>;
  readonly crons: readonly string[];
  /** The first database, bound as DB. */
  readonly d1: D1Declaration;
  /** All databases: the first, then META_1, META_2, … */
  readonly databases: readonly D1Declaration[];
  readonly r2: { readonly binding: string; readonly bucketName: string };
  readonly durableObjects: readonly { readonly binding: string; readonly className: string }[];
  /** The platform's rate limiters by their bindings. */
  readonly rateLimits: RateLimitDeclarations;
  /** The complete file, for scripts that write it back. */
  readonly document: Readonly<Record<string, unknown>>;
}

/** Declarations of rate limiters by binding, in the form of wrangler.toml. */
export type RateLimitDeclarations = Readonly<
  Record<
    string,
    { readonly namespace_id: string; readonly simple: { readonly limit: number; readonly period: 10 | 60 } }
  >
>;

/** The declaration of a database. */
export interface D1Declaration {
  readonly binding: string;
  readonly databaseName: string;
  readonly databaseId: string | undefined;
  readonly migrationsDir: string;
}

/** Reads the wrangler.toml of a project folder and resolves its relative paths. */
export function readWranglerToml(root: string = PROJECT_ROOT): WranglerToml {
  const file = join(root, "wrangler.toml");
  const document = parse(readFileSync(file, "utf8"));
  const databases = readDatabases(document, root);
  const r2 = onlyTable(document, "r2_buckets");
  return {
    name: text(document, "name"),
    main: resolve(root, text(document, "main")),
    accountId: optionalText(document, "account_id"),
    isOnWorkersDev: at(document, "workers_dev") !== false,
    compatibilityDate: text(document, "compatibility_date"),
    compatibilityFlags: list(document, "compatibility_flags").map(String),
    vars: Object.fromEntries(Object.entries(at(document, "vars") ?? {}).map(([name, value]) => [name, varText(value)])),
    crons: list(at(document, "triggers"), "crons").map(String),
    d1: databases[0],
    databases,
    r2: { binding: text(r2, "binding"), bucketName: text(r2, "bucket_name") },
    durableObjects: list(at(document, "durable_objects"), "bindings").map((entry) => ({
      binding: text(entry, "name"),
      className: text(entry, "class_name"),
    })),
    rateLimits: Object.fromEntries(list(document, "ratelimits").map(readRateLimit)),
    document,
  };
}

function readDatabases(document: unknown, root: string): [D1Declaration, ...D1Declaration[]] {
  const [first, ...others] = list(document, "d1_databases").map((d1) => ({
    binding: text(d1, "binding"),
    databaseName: text(d1, "database_name"),
    databaseId: optionalText(d1, "database_id"),
    migrationsDir: resolve(root, text(d1, "migrations_dir", "migrations")),
  }));
  if (first === undefined) throw new Error("wrangler.toml: [[d1_databases]] is missing");
  for (const [index, { binding, databaseName }] of others.entries()) {
    if (binding !== `META_${index + 1}`) {
      throw new Error(
        `wrangler.toml: the binding of [[d1_databases]] after the first is META_${index + 1}, not ${binding}`,
      );
    }
    if ([first, ...others.slice(0, index)].some((one) => one.databaseName === databaseName)) {
      throw new Error(`wrangler.toml: two bindings name the D1 database ${databaseName}`);
    }
  }
  return [first, ...others];
}

function readRateLimit(entry: unknown): [string, RateLimitDeclarations[string]] {
  const simple = at(entry, "simple");
  const [limit, period] = [at(simple, "limit"), at(simple, "period")];
  if (typeof limit !== "number" || (period !== 10 && period !== 60)) {
    throw new Error("wrangler.toml: simple of [[ratelimits]] needs a limit, and a period of 10 or 60");
  }
  return [text(entry, "name"), { namespace_id: text(entry, "namespace_id"), simple: { limit, period } }];
}

/** A list or table becomes JSON, which differs from any text that it contains. */
function varText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function at(table: unknown, key: string): unknown {
  return typeof table === "object" && table !== null ? Reflect.get(table, key) : undefined;
}

function list(table: unknown, key: string): readonly unknown[] {
  const value = at(table, key);
  return Array.isArray(value) ? value : [];
}

function text(table: unknown, key: string, fallback?: string): string {
  const value = at(table, key) ?? fallback;
  if (typeof value !== "string") throw new Error(`wrangler.toml: ${key} is missing or not a string`);
  return value;
}

function optionalText(table: unknown, key: string): string | undefined {
  const value = at(table, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function onlyTable(document: unknown, key: string): unknown {
  const [first, ...others] = list(document, key);
  if (first === undefined || others.length > 0) throw new Error(`wrangler.toml: expected one [[${key}]]`);
  return first;
}

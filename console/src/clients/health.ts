// Reads the endpoint's health: GET /_/health, which needs no signature.
import { NetworkFailure } from "./failures.ts";

export interface Health {
  readonly ok: boolean;
  /** Whether each binding is reached, by its name. */
  readonly bindings: Readonly<Record<string, boolean>>;
  readonly schema: string | undefined;
  /** In ms. */
  readonly lastScheduledAt: number | undefined;
  /** Bytes of each database by its binding; of the largest one alone if there is only one. */
  readonly databases: readonly { readonly name: string; readonly bytes: number | undefined }[];
  /** The most bytes of one database; undefined if the endpoint does not report them. */
  readonly databaseMaxBytes: number | undefined;
  /** Names of settings with invalid values. */
  readonly misconfigured: readonly string[];
}

/** @throws NetworkFailure */
export async function getHealth(endpoint: string, signal?: AbortSignal): Promise<Health> {
  let document: unknown;
  try {
    const response = await fetch(`${endpoint}/_/health`, { cache: "no-store", signal: signal ?? null });
    document = await response.json();
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new NetworkFailure(error);
  }
  const at = (name: string): unknown => Reflect.get(Object(document), name);
  const lastCron = at("lastCron");
  const databases = Object.entries(Object(at("databases")));
  const one = { name: "DB", bytes: numeric(at("databaseBytes")) };
  return {
    ok: at("ok") === true,
    bindings: Object.fromEntries(Object.entries(Object(at("bindings"))).map(([name, value]) => [name, value === true])),
    schema: typeof at("schema") === "string" ? String(at("schema")) : undefined,
    lastScheduledAt: typeof lastCron === "string" ? Date.parse(lastCron) : undefined,
    databases:
      databases.length === 0
        ? [one]
        : databases.map(([name, report]) => ({ name, bytes: numeric(Reflect.get(Object(report), "bytes")) })),
    databaseMaxBytes: numeric(at("databaseMaxBytes")),
    misconfigured: Array.isArray(at("misconfigured")) ? Array.from(Object(at("misconfigured")), String) : [],
  };
}

function numeric(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

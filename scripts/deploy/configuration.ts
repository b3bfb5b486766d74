// The configuration that wrangler deploys from: wrangler.toml with the ids that were found, in a separate file. The user's
// wrangler.toml stays as it is, and no binding is inherited from an earlier version.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT, type WranglerToml } from "../project/wrangler-toml.ts";
import { field, textField } from "./api.ts";

/** Beside wrangler.toml, since wrangler takes paths from where its configuration is. */
const FILE = join(PROJECT_ROOT, `.wrangler-deploy-${process.pid}.json`);

/**
 * Settings for the Free plan: a scheduled run may send 50 D1 queries, some of which the run itself needs, and has too
 * little CPU time to pack small bodies before they fill the 500 MB that a database may have.
 */
const FREE_VARS = { JOB_CALLS_PER_TICK: "40", INLINE_MAX_BYTES: "0" };

export interface Identifiers {
  readonly accountId: string;
  /** The ids of the databases by their bindings. */
  readonly databaseIds: ReadonlyMap<string, string>;
}

/** Writes the configuration and returns its path. */
export function writeConfiguration(toml: WranglerToml, ids: Identifiers, plan: "paid" | "free"): string {
  writeFileSync(FILE, JSON.stringify(configuration(toml, ids, plan), undefined, 2));
  return FILE;
}

export function removeConfiguration(): void {
  rmSync(FILE, { force: true });
}

/** wrangler.toml's content for one account; on the Free plan without limits, which that plan refuses. */
export function configuration(toml: WranglerToml, ids: Identifiers, plan: "paid" | "free"): Record<string, unknown> {
  const { limits, ...document } = toml.document;
  const databases: unknown[] = [field(document, "d1_databases")].flat();
  const vars = field(document, "vars");
  return {
    ...document,
    account_id: ids.accountId,
    d1_databases: databases.map((database) => {
      const id = ids.databaseIds.get(textField(database, "binding") ?? "");
      return Object.assign({}, database, { database_id: id });
    }),
    ...(plan === "paid" ? { limits } : { vars: { ...FREE_VARS, ...Object(vars ?? {}) } }),
  };
}

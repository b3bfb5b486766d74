// Rebuilds the database of a state folder.
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT, readWranglerToml } from "../project/wrangler-toml.ts";
import { applyToAll } from "../serve/migrations.ts";
import { givenSettings } from "../serve/settings.ts";
import { lockState } from "../serve/state-lock.ts";
import { openState, type OpenState } from "./open-state.ts";

/** Miniflare's folder for D1's files in a state folder. */
export const DATABASE_FOLDER = "d1";

/** The result of a rebuild. */
export interface Rebuilt {
  readonly report: Readonly<Record<string, number>>;
  /** What could not be known or rebuilt, one line each. */
  readonly findings: readonly string[];
  /** The new path of the previous database, if it was moved. */
  readonly setAside: string | undefined;
}

/**
 * Rebuilds a database.
 * @param isReplacing moves the existing database aside first
 * @throws Error when the state is being served or the database is not empty
 */
export async function rebuildState(state: string, isReplacing: boolean): Promise<Rebuilt> {
  const toml = readWranglerToml();
  const unlock = await lockState(state);
  try {
    const setAside = isReplacing ? moveAside(join(state, DATABASE_FOLDER), "rebuild") : undefined;
    const open = await openState(state, givenSettings(toml.vars, process.env, PROJECT_ROOT));
    try {
      await applyToAll(open.databases, toml.d1.migrationsDir);
      // The Worker's response has this shape.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const report = (await open.request("/rebuild")) as Record<string, number>;
      if (report["refused"] !== undefined) throw new Error("the database is not empty; --replace puts it aside first");
      return { report, findings: await findingsIn(open), setAside };
    } finally {
      await open.close();
    }
  } finally {
    unlock();
  }
}

async function findingsIn({ databases }: OpenState): Promise<string[]> {
  interface FindingRow {
    readonly bucket: string;
    readonly key: string;
    readonly subject: string;
    readonly finding: string;
  }
  const found = await Promise.all(
    databases.map((database) =>
      database
        .prepare(
          `SELECT coalesce(b.name, f.bucket_id) AS bucket, f.key, f.subject, f.finding
           FROM rebuild_findings f LEFT JOIN buckets b ON b.id = f.bucket_id ORDER BY 1, 2, 3`,
        )
        .all<FindingRow>(),
    ),
  );
  const findings = found.flatMap(({ results }) => results);
  return findings.map(({ bucket, key, subject, finding }) => `${bucket}/${JSON.stringify(key)} ${subject}: ${finding}`);
}

export function moveAside(folder: string, step: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const aside = `${folder}-before-${step}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
  renameSync(folder, aside);
  return aside;
}

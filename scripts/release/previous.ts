// Reads the previous release: its Worker as one module, and its last migration.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const FOLDER = join(import.meta.dirname, "previous");
export const PREVIOUS_WORKER = join(FOLDER, "worker.js.br");
export const PREVIOUS_RELEASE = join(FOLDER, "release.json");

export interface PreviousRelease {
  readonly worker: string;
  readonly lastMigration: string;
  readonly compatibilityDate: string;
}

/** Reads the previous release. */
export function readPreviousRelease(): PreviousRelease {
  const release: unknown = JSON.parse(readFileSync(PREVIOUS_RELEASE, "utf8"));
  return {
    worker: brotliDecompressSync(readFileSync(PREVIOUS_WORKER)).toString("utf8"),
    lastMigration: String(Reflect.get(Object(release), "lastMigration")),
    compatibilityDate: String(Reflect.get(Object(release), "compatibilityDate")),
  };
}

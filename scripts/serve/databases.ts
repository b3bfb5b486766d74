// The databases of a state folder: DB, and META_1, META_2, … where there are several. The folder remembers how many, since
// a start with fewer would not find the buckets in the others.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WranglerToml } from "../project/wrangler-toml.ts";

const FILE = "databases";
export const MOST_DATABASES = 100;

/**
 * The bindings of a state folder's databases, the first one first.
 * @param wanted how many there should be at least; more than before are added and remembered
 */
export function stateDatabases(state: string, { databases }: Pick<WranglerToml, "databases">, wanted = 1): string[] {
  const remembered = readCount(state);
  const count = Math.max(remembered, wanted, databases.length);
  if (count > remembered) {
    mkdirSync(state, { recursive: true });
    if (count > 1) writeFileSync(join(state, FILE), `${count}\n`);
  }
  const [first = { binding: "DB" }] = databases;
  return Array.from({ length: count }, (_, index) => (index === 0 ? first.binding : `META_${index}`));
}

function readCount(state: string): number {
  const file = join(state, FILE);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 1;
}

/** Binds each database under the name that its file in the state is named after. */
export function boundDatabases(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]));
}

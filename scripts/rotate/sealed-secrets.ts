// Counts the secrets in a database by the master key that encrypts them, using the stored fingerprints of the keys.
import { createHash } from "node:crypto";

/** How many secrets each master key encrypts, by the key's version. */
export type SealedCounts = ReadonlyMap<string, number>;

export const COUNT_SEALED = "SELECT key_version, count(*) AS secrets FROM access_keys GROUP BY key_version";

/** Parses the rows of {@link COUNT_SEALED}. */
export function sealedCounts(rows: readonly unknown[]): SealedCounts {
  return new Map(
    rows.map((row) => [String(Reflect.get(Object(row), "key_version")), Number(Reflect.get(Object(row), "secrets"))]),
  );
}

/** The version of a master key, as `src/auth/identity/key-ring.ts` stores it with each secret. */
export function versionOf(masterKey: string): string {
  const bytes = Buffer.from(masterKey, "base64");
  return createHash("sha256").update("cairn master key").update(bytes).digest("hex").slice(0, 8);
}

/** How many secrets other keys than these encrypt. */
export function sealedUnderOthers(sealed: SealedCounts, masterKeys: readonly string[]): number {
  const known = new Set(masterKeys.map(versionOf));
  return [...sealed].reduce((sum, [version, secrets]) => sum + (known.has(version) ? 0 : secrets), 0);
}

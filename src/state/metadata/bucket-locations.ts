// Remembers in which further database each bucket was last seen. It is only a hint: the bucket's own row, in the database
// that is asked, confirms it, and a lookup that finds no row consults the registry.

const REMEMBERED_BUCKETS = 10_000;

/** Databases by bucket name, the least recently written first. A bucket in the first database has no entry. */
const LOCATIONS = new Map<string, string>();

/** The further database in which the bucket was last seen; undefined: unknown, or the first. */
export function recallLocation(bucketName: string): string | undefined {
  return LOCATIONS.get(bucketName);
}

/** Remembers a bucket's further database. */
export function rememberLocation(bucketName: string, database: string): void {
  if (LOCATIONS.get(bucketName) === database) return;
  LOCATIONS.delete(bucketName);
  LOCATIONS.set(bucketName, database);
  const [oldest] = LOCATIONS.keys();
  if (LOCATIONS.size > REMEMBERED_BUCKETS && oldest !== undefined) LOCATIONS.delete(oldest);
}

/** Discards the remembered database of a bucket. */
export function discardLocation(bucketName: string): void {
  LOCATIONS.delete(bucketName);
}

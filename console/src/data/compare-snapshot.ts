// Compares a snapshot with the current content of its bucket, key by key.
import type { Connection } from "../clients/connection.ts";
import { type ListedObject, listObjects } from "../clients/objects.ts";

export interface Difference {
  readonly key: string;
  readonly kind: "added" | "changed" | "deleted";
}

/** Differences in the order of the listings' keys: what was added, changed or deleted since the snapshot. */
export async function compareWithNow(
  connection: Connection,
  bucket: string,
  address: string,
  prefix: string,
  signal: AbortSignal,
): Promise<Difference[]> {
  const [then, now] = await Promise.all(
    [address, bucket].map((place) => objectsBelow(connection, place, prefix, signal)),
  );
  const differences: Difference[] = [];
  for (const [key, before] of then ?? []) {
    const after = now?.get(key);
    if (after === undefined) differences.push({ key, kind: "deleted" });
    else if (after.etag !== before.etag || after.bytes !== before.bytes) differences.push({ key, kind: "changed" });
  }
  for (const key of now?.keys() ?? []) if (then?.has(key) === false) differences.push({ key, kind: "added" });
  return differences;
}

async function objectsBelow(
  connection: Connection,
  place: string,
  prefix: string,
  signal: AbortSignal,
): Promise<Map<string, ListedObject>> {
  const found = new Map<string, ListedObject>();
  let token: string | undefined;
  do {
    const page = await listObjects(connection, place, { prefix, token, signal });
    for (const object of page.objects) found.set(object.key, object);
    token = page.nextToken;
  } while (token !== undefined);
  return found;
}

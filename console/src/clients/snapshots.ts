// Calls on the snapshots of a bucket: create, list, restore, delete. A snapshot is read at its own address.
import { getXml } from "./buckets.ts";
import type { Connection } from "./connection.ts";
import { bucketPath } from "./paths.ts";
import { childrenOf, numberOf, optionalText, parseXml, textOf } from "./xml.ts";

export interface Snapshot {
  readonly name: string;
  /** The bucket name in requests that read the snapshot. */
  readonly address: string;
  /** In ms. */
  readonly createdAt: number;
}

/** A snapshot that is read in a bucket's place. */
export interface SnapshotPlace {
  readonly bucket: string;
  readonly snapshot: string;
}

/** Parses an address in a bucket's place: a snapshot, or undefined for a bucket, whose name has no underscore. */
export function snapshotAt(address: string): SnapshotPlace | undefined {
  const at = address.indexOf("_");
  return at < 0 ? undefined : { bucket: address.slice(0, at), snapshot: address.slice(at + 1) };
}

export async function listSnapshots(connection: Connection, bucket: string): Promise<Snapshot[]> {
  const root = await getXml(connection, bucketPath(bucket), { snapshots: "" });
  return childrenOf(root, "Snapshot").map((element) => ({
    name: textOf(element, "Name"),
    address: textOf(element, "Address"),
    createdAt: Date.parse(textOf(element, "CreationDate")),
  }));
}

export async function createSnapshot(connection: Connection, bucket: string, name: string): Promise<void> {
  await connection.send({ method: "PUT", path: bucketPath(bucket), query: { snapshot: name } });
}

export async function deleteSnapshot(connection: Connection, bucket: string, name: string): Promise<void> {
  await connection.send({ method: "DELETE", path: bucketPath(bucket), query: { snapshot: name } });
}

export interface Restored {
  readonly restored: number;
  readonly deleted: number;
}

/** Restores all keys that begin with a prefix, in as many calls as needed. It can be repeated after a failure. */
export async function restoreSnapshot(
  connection: Connection,
  bucket: string,
  name: string,
  prefix: string,
): Promise<Restored> {
  let [restored, deleted] = [0, 0];
  let token: string | undefined;
  do {
    const query = { restoreSnapshot: name, prefix: prefix === "" ? undefined : prefix, "continuation-token": token };
    const response = await connection.send({ method: "POST", path: bucketPath(bucket), query });
    const root = parseXml(await response.text());
    restored += numberOf(root, "ObjectsRestored");
    deleted += numberOf(root, "ObjectsDeleted");
    token = optionalText(root, "NextContinuationToken");
  } while (token !== undefined);
  return { restored, deleted };
}

// Moves and copies of one object within the server. In a bucket that was never versioned a move is a rename; elsewhere it
// is a copy and a conditional deletion of the copied version.
import type { Connection } from "./connection.ts";
import { ServiceError } from "./failures.ts";
import { copyObject, type ObjectAddress, renameObject } from "./object.ts";
import { objectPath } from "./paths.ts";
import { deleteMany } from "./versions.ts";

export interface Transfer {
  readonly kind: "move" | "copy";
  readonly source: ObjectAddress;
  readonly target: ObjectAddress;
  /** The ETag of the transferred object; a newer one is not moved. */
  readonly etag: string;
  /** A copy is of class STANDARD unless it names another. */
  readonly storageClass: string;
}

/**
 * Moves or copies an object. @returns the transfer, with the new version id
 * @throws ServiceError PreconditionFailed if the target exists and is not to be replaced
 */
export async function transferObject(
  connection: Connection,
  transfer: Transfer,
  { replaces }: { readonly replaces: boolean },
): Promise<Transfer> {
  const { kind, source, target, etag, storageClass } = transfer;
  const isNew = !replaces;
  // The server renames no key that ends in a slash.
  const isFolder = source.key.endsWith("/") || target.key.endsWith("/");
  if (kind === "move" && source.bucket === target.bucket && !isFolder) {
    try {
      await renameObject(connection, source, target.key, { isNew });
      return transfer;
    } catch (failure) {
      // The bucket has, or had, versions.
      if (!(failure instanceof ServiceError) || failure.code !== "InvalidBucketState") throw failure;
    }
  }
  const versionId = await copyObject(connection, source, target, { isNew, ifMatch: etag, storageClass });
  if (kind === "move") await deleteIfSame(connection, source, etag);
  return { ...transfer, target: { ...target, versionId } };
}

/** Deletes the copy, unless a newer object has replaced it. */
export async function deleteCopy(connection: Connection, { target, etag }: Transfer): Promise<void> {
  if (target.versionId === undefined) return deleteIfSame(connection, target, etag);
  const { bucket, key, versionId } = target;
  await connection.send({ method: "DELETE", path: objectPath(bucket, key), query: { versionId } });
}

/** Deletes with DeleteObjects, whose document can also name a key that no browser's URL can address. */
async function deleteIfSame(connection: Connection, { bucket, key }: ObjectAddress, etag: string): Promise<void> {
  const [outcome] = await deleteMany(connection, bucket, [{ key, ifMatch: etag }]);
  if (outcome?.failure === undefined) return;
  const { code, message } = outcome.failure;
  const status = code === "PreconditionFailed" ? 412 : 409;
  throw new ServiceError({
    status,
    code,
    message,
    requestId: "",
    details: new Map([["Condition", "If-Match"]]),
    skewMs: 0,
  });
}

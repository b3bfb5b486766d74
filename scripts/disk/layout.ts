// Where the disk store has its files below a state folder: `blobs/<bucket id>/<first digits>/<name>` for blobs,
// `blobs.reserved/` for objects below the reserved prefix, and `blobs.incoming/` for uploads that are not complete.
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";

/** The prefix of Cairn's own objects, which are no blobs. */
export const RESERVED_PREFIX = "cairn/";

/** The first digits of a blob's name are its time, so that a folder has the blobs of 17 minutes. */
const SHARD_LENGTH = 6;
/** Limit of file systems. */
const NAME_MAX_LENGTH = 255;
const BLOB_ID = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

/** The folders of a state folder. */
export interface Layout {
  readonly blobs: string;
  readonly reserved: string;
  readonly incoming: string;
}

/** Names the folders. */
export function layoutOf(state: string): Layout {
  return {
    blobs: join(state, "blobs"),
    reserved: join(state, "blobs.reserved"),
    incoming: join(state, "blobs.incoming"),
  };
}

/** An id that no file can have. */
export class InvalidIdError extends Error {}

/** The folder and file name of a blob. @throws InvalidIdError */
export function blobPlace({ blobs }: Layout, blobId: string): { readonly folder: string; readonly name: string } {
  const [bucket = "", name = ""] = blobId.split("/");
  if (!isBlobId(blobId)) throw new InvalidIdError(`${JSON.stringify(blobId)} is no blob id`);
  return { folder: join(blobs, bucket, shardOf(name)), name };
}

function isBlobId(text: string): boolean {
  return BLOB_ID.test(text) && text.split("/").every(({ length }) => length <= NAME_MAX_LENGTH);
}

/** Whether a path below the folder of blobs is that of a blob. */
export function isBlobFile(path: string): boolean {
  const [bucket = "", shard, name = "", ...rest] = path.split(sep);
  return rest.length === 0 && shard === shardOf(name) && isBlobId(`${bucket}/${name}`);
}

/** The file of a blob. @throws InvalidIdError */
export function blobPath(layout: Layout, blobId: string): string {
  const { folder, name } = blobPlace(layout, blobId);
  return join(folder, name);
}

/** The file of a reserved object. @throws InvalidIdError */
export function reservedPath({ reserved }: Layout, name: string): string {
  const file = encodeURIComponent(name);
  if (!name.startsWith(RESERVED_PREFIX) || file.length > NAME_MAX_LENGTH) {
    throw new InvalidIdError(`${JSON.stringify(name)} is no reserved name`);
  }
  return join(reserved, file);
}

/** The names of reserved objects with a prefix, in order. */
export async function reservedNames({ reserved }: Layout, prefix: string): Promise<string[]> {
  const names = (await entriesOf(reserved)).map(decodeURIComponent);
  return names.filter((name) => name.startsWith(prefix)).toSorted();
}

/** Lists blob ids after an id (undefined: from the first), in order. Ids are ASCII. Skips files that are no blobs. */
export async function* blobIdsAfter({ blobs }: Layout, after = ""): AsyncGenerator<string> {
  const [afterBucket = "", afterName = ""] = after.split("/");
  // An id compares as a whole, so that a folder's name is followed by a slash.
  const buckets = (await entriesOf(blobs)).map((bucket) => `${bucket}/`).toSorted();
  for (const bucket of buckets) {
    const isFirst = bucket === `${afterBucket}/`;
    if (!isFirst && bucket < after) continue;
    for (const shard of (await entriesOf(join(blobs, bucket))).toSorted()) {
      if (isFirst && shard < shardOf(afterName)) continue;
      const names = (await entriesOf(join(blobs, bucket, shard))).toSorted();
      for (const name of names) {
        const isBlob = shardOf(name) === shard && isBlobId(bucket + name);
        if (isBlob && (!isFirst || name > afterName)) yield bucket + name;
      }
    }
  }
}

function shardOf(name: string): string {
  return name.slice(0, SHARD_LENGTH);
}

/** The entries of a folder; none if it does not exist or is no folder. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}

/** Whether an error of the file system has a code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

// Records of Object Lock in the blob store, from which a rebuild restores it: one of each bucket with Object Lock, and one
// of each version whose lock was changed after its upload. (The recovery metadata of a blob has the lock of its upload.)
// A record is stored before the answer. It is deleted with the blob or manifest, or with the bucket.
import { digest } from "../../bytes/digest.ts";
import { toHex } from "../../bytes/hex-base64.ts";
import { decodeUtf8, utf8 } from "../../bytes/text.ts";
import type { ObjectLock } from "../../protocol/objects/object-lock.ts";
import { S3Error } from "../../protocol/core/s3-error.ts";
import type { BlobStore } from "../blobs/blob-store.ts";

const PREFIX = "cairn/locks/";

/** The version that a record is of: its key, and its blob or manifest. */
export interface RecordedVersion {
  readonly bucketId: string;
  readonly key: string;
  readonly referenceId: string;
}

/** Copies share a blob, so the name also contains a digest of the key. */
async function nameOf({ bucketId, key, referenceId }: RecordedVersion): Promise<string> {
  const ofKey = toHex(await digest("SHA-256", utf8(key))).slice(0, 32);
  return `${PREFIX}${bucketId}/${referenceId.slice(referenceId.indexOf("/") + 1)}/${ofKey}.json`;
}

const nameOfBucket = (bucketId: string): string => `${PREFIX}${bucketId}/bucket.json`;

/** A changed lock, with what a restored database finds its version by. */
export interface LockChange extends ObjectLock {
  readonly key: string;
  readonly versionId: string;
  /** When it was recorded, in milliseconds since the epoch. */
  readonly changedAt: number;
}

/** A record as a walk through all of them finds it. */
export type FoundRecord =
  | { readonly bucketId: string; readonly objectLock: string }
  | { readonly bucketId: string; readonly change: LockChange };

/** Records a version's lock. @throws S3Error ServiceUnavailable, after which the client repeats the request */
export async function storeVersionLock(
  blobs: BlobStore,
  version: RecordedVersion & Pick<LockChange, "versionId" | "changedAt">,
  { retention, legalHold }: ObjectLock,
): Promise<void> {
  const { key, versionId, changedAt } = version;
  const change: LockChange = { retention, legalHold, key, versionId, changedAt };
  await store(blobs, await nameOf(version), JSON.stringify(change));
}

/** Reads the lock of a version; undefined if it was not changed after the upload. */
export async function readVersionLock(blobs: BlobStore, version: RecordedVersion): Promise<ObjectLock | undefined> {
  const text = await read(blobs, await nameOf(version));
  // storeVersionLock writes this form, in which JSON omits undefined properties.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const lock = text === undefined ? undefined : (JSON.parse(text) as Partial<ObjectLock>);
  return lock && { retention: lock.retention, legalHold: lock.legalHold };
}

/** Records the stored form of a bucket's configuration. @throws S3Error ServiceUnavailable */
export async function storeBucketLock(blobs: BlobStore, bucketId: string, objectLock: string): Promise<void> {
  await store(blobs, nameOfBucket(bucketId), objectLock);
}

/** Reads the stored form of a bucket's configuration; undefined if it has no Object Lock. */
export async function readBucketLock(blobs: BlobStore, bucketId: string): Promise<string | undefined> {
  return read(blobs, nameOfBucket(bucketId));
}

/** Reads up to `limit` records after a name ("" for the first), with the name of the last. */
export async function readRecords(
  blobs: BlobStore,
  after: string,
  limit: number,
): Promise<{ readonly records: readonly FoundRecord[]; readonly last: string | undefined }> {
  const names = await blobs.listReserved(PREFIX, after, limit);
  const records: FoundRecord[] = [];
  for (const name of names) {
    const text = await read(blobs, name);
    const bucketId = name.slice(PREFIX.length).split("/", 1)[0] ?? "";
    if (text === undefined) continue;
    if (name === nameOfBucket(bucketId)) records.push({ bucketId, objectLock: text });
    else {
      // storeVersionLock writes this form. That of an earlier release has only the lock.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const change = JSON.parse(text) as Partial<LockChange>;
      const { key, versionId, changedAt, retention, legalHold } = change;
      if (key === undefined || versionId === undefined || changedAt === undefined) continue;
      records.push({ bucketId, change: { key, versionId, changedAt, retention, legalHold } });
    }
  }
  return { records, last: names.at(-1) };
}

/** The ids of the buckets that have records. */
export async function bucketsWithRecords(blobs: BlobStore): Promise<ReadonlySet<string>> {
  return new Set(await blobs.listReservedFolders(PREFIX));
}

/** Deletes the records of the versions that had a blob or manifest. */
export async function deleteRecordsOf(blobs: BlobStore, referenceId: string): Promise<void> {
  await blobs.deleteReserved(`${PREFIX}${referenceId}/`);
}

/** Deletes up to 1000 records of a bucket. */
export async function deleteLockRecords(blobs: BlobStore, bucketId: string): Promise<void> {
  await blobs.deleteReserved(`${PREFIX}${bucketId}/`);
}

async function store(blobs: BlobStore, name: string, text: string): Promise<void> {
  try {
    await blobs.writeReserved(name, utf8(text));
  } catch (error) {
    console.error(JSON.stringify({ level: "error", message: `the record of an object lock: ${String(error)}` }));
    throw new S3Error("ServiceUnavailable");
  }
}

async function read(blobs: BlobStore, name: string): Promise<string | undefined> {
  const bytes = await blobs.readReserved(name);
  return bytes === undefined ? undefined : decodeUtf8(bytes);
}

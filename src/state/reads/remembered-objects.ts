// Remembers in each isolate which blob a caller last read under a key, so that its next read may begin before D1 answers
// (speculative-read.ts). An entry is only a guess: D1 decides about every request.
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import type { SmallBlob } from "../blobs/small-blobs.ts";

/** At most some 3 MB with the longest keys. */
const MAX_ENTRIES = 2000;

/** A read as a caller repeats it. */
export interface RepeatedRead {
  /** The access key id; empty for anonymous callers. A caller remembers only what D1 has authorised for it. */
  readonly caller: string;
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** The object that a read found last, in one blob that the database does not contain. */
export interface RememberedObject extends Pick<StoredObject, "size" | "etag" | "modifiedAt" | "storageClass"> {
  readonly blobId: string;
  /** Where a packed blob is. Packs are immutable, so the place may be gone, but never has other bytes. */
  readonly packed: SmallBlob | undefined;
  /** Whether two reads in sequence found this blob. */
  readonly isConfirmed: boolean;
}

/** The least recently read first. */
const OBJECTS = new Map<string, RememberedObject>();

/** The object that a read found last in this isolate. */
export function recallObject(read: RepeatedRead): RememberedObject | undefined {
  return OBJECTS.get(nameOf(read));
}

/**
 * Remembers an object that D1 has authorised for the caller. An object in several blobs, in the database or under a
 * customer's key replaces what was remembered with nothing.
 * @param small the object's small blob, if it is in one
 */
export function rememberObject(
  read: RepeatedRead,
  object: Pick<StoredObject, "blobId" | "size" | "etag" | "modifiedAt" | "storageClass" | "encryption">,
  small: SmallBlob | undefined,
): void {
  const name = nameOf(read);
  const known = OBJECTS.get(name);
  OBJECTS.delete(name);
  const { blobId, size, etag, modifiedAt, storageClass, encryption } = object;
  if (blobId === undefined || encryption !== undefined || small?.place.kind === "inline") return;
  const isConfirmed = known?.blobId === blobId;
  OBJECTS.set(name, { blobId, size, etag, modifiedAt, storageClass, packed: small, isConfirmed });
  const [oldest] = OBJECTS.keys();
  if (OBJECTS.size > MAX_ENTRIES && oldest !== undefined) OBJECTS.delete(oldest);
}

/** Discards what a read found, because D1 did not confirm it. */
export function discardObject(read: RepeatedRead): void {
  OBJECTS.delete(nameOf(read));
}

function nameOf({ caller, bucketName, key, versionId = "" }: RepeatedRead): string {
  return `${caller}\n${bucketName}\n${versionId}\n${key}`;
}

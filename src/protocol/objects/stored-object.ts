// A version of a key as the metadata store returns it.
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from "../core/checksums.ts";
import type { ObjectLock } from "./object-lock.ts";
import type { ObjectMetadata } from "./object-metadata.ts";
import type { Tag } from "../core/tagging.ts";

/** A version without its key, id and time. */
export interface ObjectFacts extends ObjectMetadata, ObjectLock {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly ownerId: string;
  /** The blob that contains all bytes, if there is one; exactly one of blobId and manifestId is defined. */
  readonly blobId: string | undefined;
  /** The manifest, if the bytes are in several blobs. */
  readonly manifestId: string | undefined;
  readonly storageClass: string;
  readonly checksum: ObjectChecksum | undefined;
  readonly tags: readonly Tag[];
  /** The stored form of the access control list; undefined: private. */
  readonly acl: string | undefined;
  /** The stored verifier of the customer's key; undefined without SSE-C. */
  readonly encryption: string | undefined;
}

/** A stored version. */
export interface StoredObject extends ObjectFacts {
  readonly key: string;
  readonly versionId: string;
  /** Whether clients see this version's id as `null`. */
  readonly isNullVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** A delete marker. */
export interface DeleteMarker {
  readonly key: string;
  readonly versionId: string;
  readonly isNullVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** The version id that clients see. */
export function shownVersionId(version: { readonly versionId: string; readonly isNullVersion: boolean }): string {
  return version.isNullVersion ? "null" : version.versionId;
}

/** A version in a listing. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly ownerId: string;
  readonly storageClass: string;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly checksumType: ChecksumType | undefined;
}

/** An entry of a listing. */
export type ListingEntry = { readonly commonPrefix: string } | { readonly object: ListedObject };

// An object as it is stored: one version of one key.
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from "./checksums.ts";
import type { ObjectMetadata } from "./object-metadata.ts";

/** What a version is, apart from where it stands. */
export interface ObjectFacts extends ObjectMetadata {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly ownerId: string;
  readonly blobId: string;
  readonly storageClass: string;
  readonly checksum: ObjectChecksum | undefined;
}

/** A stored version. */
export interface StoredObject extends ObjectFacts {
  readonly key: string;
  readonly versionId: string;
  /** Whether clients know this version as `null`. */
  readonly isNullVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** A version as listings show it. */
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

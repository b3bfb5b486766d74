// An object as it is stored: one version of one key.
import type { ChecksumAlgorithm, ChecksumType, ObjectChecksum } from "../core/checksums.ts";
import type { ObjectMetadata } from "./object-metadata.ts";
import type { Tag } from "../core/tagging.ts";

/** What a version is, apart from where it stands. */
export interface ObjectFacts extends ObjectMetadata {
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly ownerId: string;
  /** Where the bytes are, if in one blob; exactly one of blobId and manifestId is there. */
  readonly blobId: string | undefined;
  /** Where the list of slices is, if the bytes are in several. */
  readonly manifestId: string | undefined;
  readonly storageClass: string;
  readonly checksum: ObjectChecksum | undefined;
  readonly tags: readonly Tag[];
  /** The access control list as it is kept; undefined: private. */
  readonly acl: string | undefined;
  /** What a customer's key is recognised by, as it is kept; undefined where the bytes are not encrypted with one. */
  readonly encryption: string | undefined;
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

/** A delete marker. */
export interface DeleteMarker {
  readonly key: string;
  readonly versionId: string;
  readonly isNullVersion: boolean;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** How clients know a version. */
export function shownVersionId(version: { readonly versionId: string; readonly isNullVersion: boolean }): string {
  return version.isNullVersion ? "null" : version.versionId;
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

// The lookups of GetObject, HeadObject and GetObjectAttributes: the version, and the requested parts and slices of its
// manifest, in one round trip.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { ALL_BYTES, selectBytes } from "../../protocol/core/range.ts";
import type { Lookup } from "../d1/database.ts";
import {
  type PartSelection,
  partsFromRows,
  selectParts,
  selectSlices,
  slicesFromRows,
} from "../metadata/manifest-reads.ts";
import { type Slice } from "../metadata/manifests.ts";
import type { VersionFacts } from "../metadata/objects.ts";
import { OBJECT_COLUMNS } from "../metadata/object-columns.ts";
import { SMALL_BLOB_OF_VERSION, smallBlobsOf, type SmallBlob } from "../blobs/small-blobs.ts";
import { lookUpNamed, manifestOfNamed, type NamedRead } from "../snapshots/snapshot-reads.ts";

/** The version and the range or part to read. */
export interface ObjectRead extends NamedRead {
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly partNumber?: number | undefined;
}

export interface ObjectHeadFacts extends VersionFacts {
  /** The requested parts of an object with a manifest. */
  readonly parts: readonly ObjectPart[];
}

export interface ObjectReadFacts extends ObjectHeadFacts {
  /** The slices that overlap the requested bytes; none for an object in one blob. */
  readonly slices: readonly Slice[];
}

export interface ObjectContentFacts extends ObjectReadFacts {
  /** The small blob that the version is in; none for another one. */
  readonly small: readonly SmallBlob[];
}

/** Looks up a version, and one of its parts if requested. */
export function lookUpObjectHead(read: ObjectRead, columns = OBJECT_COLUMNS): Lookup<ObjectHeadFacts> {
  const { partNumber } = read;
  return lookUpParts(read, partNumber === undefined ? undefined : { kind: "one", partNumber }, columns);
}

/** Looks up a version and at least `limit` of its parts after a number, if it has as many. */
export function lookUpObjectParts(
  read: NamedRead,
  page: { readonly after: number; readonly limit: number } | undefined,
): Lookup<ObjectHeadFacts> {
  return lookUpParts(read, page === undefined ? undefined : { kind: "page", ...page });
}

function lookUpParts(
  read: NamedRead,
  selection: PartSelection | undefined,
  columns = OBJECT_COLUMNS,
): Lookup<ObjectHeadFacts> {
  const version = lookUpNamed(read, columns);
  if (selection === undefined) {
    return { statements: version.statements, read: (results) => ({ ...version.read(results), parts: [] }) };
  }
  return {
    statements: [...version.statements, selectParts(manifestOfNamed(read), selection)],
    read: (results) => ({ ...version.read(results), parts: partsFromRows(results.at(-1)?.rows ?? []) }),
  };
}

/** Looks up a version and the slices of the requested bytes. */
function lookUpObjectRead(read: ObjectRead, columns = OBJECT_COLUMNS): Lookup<ObjectReadFacts> {
  const head = lookUpObjectHead(read, columns);
  const { range, ifRange, partNumber } = read;
  // If-Range is evaluated on the version. If it fails, the whole object is sent, so all slices are needed.
  const selection = ifRange === undefined ? selectBytes(range, partNumber) : ALL_BYTES;
  return {
    statements: [...head.statements, selectSlices(manifestOfNamed(read), selection)],
    read: (results) => ({
      ...head.read(results.slice(0, -1)),
      slices: slicesFromRows(results.at(-1)?.rows ?? []),
    }),
  };
}

/** Looks up the same and, for a version in a small blob, its bytes or its pack. */
export function lookUpObjectContent(read: ObjectRead): Lookup<ObjectContentFacts> {
  const facts = lookUpObjectRead(read, `${OBJECT_COLUMNS}, ${SMALL_BLOB_OF_VERSION}`);
  return { ...facts, read: (results) => ({ ...facts.read(results), small: smallBlobsOf(results) }) };
}

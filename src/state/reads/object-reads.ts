// What a GET or HEAD of an object needs to know, in one round trip: the version, and of a manifest just what is asked
// for.
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
import { lookUpNamed, manifestOfNamed, type NamedRead } from "../snapshots/snapshot-reads.ts";

/** What is to be read. */
export interface ObjectRead extends NamedRead {
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly partNumber?: number | undefined;
}

export interface ObjectHeadFacts extends VersionFacts {
  /** Of the parts of an object with a manifest, those that were asked for. */
  readonly parts: readonly ObjectPart[];
}

export interface ObjectReadFacts extends ObjectHeadFacts {
  /** The slices that overlap what was asked for; none for an object in one blob. */
  readonly slices: readonly Slice[];
}

/** Looks up a version; and one of its parts, where that is asked for. */
export function lookUpObjectHead(read: ObjectRead): Lookup<ObjectHeadFacts> {
  const { partNumber } = read;
  return lookUpParts(read, partNumber === undefined ? undefined : { kind: "one", partNumber });
}

/** Looks up a version, and of its parts at least so many after a number, if the object has as many. */
export function lookUpObjectParts(
  read: NamedRead,
  page: { readonly after: number; readonly limit: number } | undefined,
): Lookup<ObjectHeadFacts> {
  return lookUpParts(read, page === undefined ? undefined : { kind: "page", ...page });
}

function lookUpParts(read: NamedRead, selection: PartSelection | undefined): Lookup<ObjectHeadFacts> {
  const version = lookUpNamed(read);
  if (selection === undefined) {
    return { statements: version.statements, read: (results) => ({ ...version.read(results), parts: [] }) };
  }
  return {
    statements: [...version.statements, selectParts(manifestOfNamed(read), selection)],
    read: (results) => ({ ...version.read(results), parts: partsFromRows(results.at(-1)?.rows ?? []) }),
  };
}

/** Looks up a version, and of its slices those that are asked for. */
export function lookUpObjectRead(read: ObjectRead): Lookup<ObjectReadFacts> {
  const head = lookUpObjectHead(read);
  const { range, ifRange, partNumber } = read;
  // Whether an If-Range holds is known only with the version, and if it does not, all bytes are asked for.
  const selection = ifRange === undefined ? selectBytes(range, partNumber) : ALL_BYTES;
  return {
    statements: [...head.statements, selectSlices(manifestOfNamed(read), selection)],
    read: (results) => ({
      ...head.read(results.slice(0, -1)),
      slices: slicesFromRows(results.at(-1)?.rows ?? []),
    }),
  };
}

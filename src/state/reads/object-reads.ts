// What a GET or HEAD of an object needs to know, in one round trip: the version, and of a manifest just what is asked
// for.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { ALL_BYTES, selectBytes } from "../../protocol/core/range.ts";
import type { Lookup } from "../d1/database.ts";
import { partsFromRows, selectParts, selectSlices, slicesFromRows, type Slice } from "../metadata/manifests.ts";
import type { VersionFacts } from "../metadata/objects.ts";
import { lookUpNamed, manifestOfNamed } from "../snapshots/snapshot-reads.ts";

/** What is to be read. */
export interface ObjectRead {
  readonly bucketName: string;
  readonly key: string;
  readonly versionId: string | undefined;
  /** The snapshot to read; undefined for what the bucket holds now. */
  readonly snapshot?: string | undefined;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly partNumber?: number | undefined;
}

export interface ObjectHeadFacts extends VersionFacts {
  /** The parts of an object in several slices, if one of them was asked for. */
  readonly parts: readonly ObjectPart[];
}

export interface ObjectReadFacts extends ObjectHeadFacts {
  /** The slices that overlap what was asked for; none for an object in one blob. */
  readonly slices: readonly Slice[];
}

/** Looks up a version; and its parts, where one of them is asked for. */
export function lookUpObjectHead(read: ObjectRead): Lookup<ObjectHeadFacts> {
  const version = lookUpNamed(read);
  if (read.partNumber === undefined) {
    return { statements: version.statements, read: (results) => ({ ...version.read(results), parts: [] }) };
  }
  return {
    statements: [...version.statements, selectParts(manifestOfNamed(read))],
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

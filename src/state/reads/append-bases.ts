// Looks up the object that an append continues: its row, and all of its manifest with the references, in the request's one
// round trip.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import type { StoredObject } from "../../protocol/objects/stored-object.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";
import { partsFromRows, slicesFromRows } from "../metadata/manifest-reads.ts";
import type { Slice } from "../metadata/manifests.ts";
import { objectFromRow, type ObjectRow } from "../metadata/object-columns.ts";
import { manifestOf, selectCurrentObjects } from "../metadata/objects.ts";

/** An object that is appended to. */
export interface AppendBase {
  readonly object: StoredObject;
  /** In order; an object in one blob is one slice. */
  readonly slices: readonly Slice[];
  /** As stored; an object in one blob is one part. */
  readonly parts: readonly ObjectPart[];
  /** Ids of the blobs and manifests that the object's manifest references, one entry per reference. */
  readonly references: readonly string[];
}

/** Looks up the current version of a key. */
export function lookUpAppendBase(
  bucketName: string,
  key: string,
): Lookup<{ readonly appendBase: AppendBase | undefined }> {
  const manifest = manifestOf(bucketName, key, undefined);
  return {
    statements: [
      selectCurrentObjects(bucketName, [key]),
      statement(
        `SELECT slices, parts, holdings, 0 AS first, ${Number.MAX_SAFE_INTEGER} AS last FROM manifests
         WHERE manifest_id = (${manifest.sql}) ORDER BY page`,
        ...manifest.parameters,
      ),
    ],
    read: (results) => {
      const object = rowsOf<ObjectRow>(results).map(objectFromRow)[0];
      return { appendBase: object === undefined ? undefined : baseOf(object, results[1]?.rows ?? []) };
    },
  };
}

function baseOf(object: StoredObject, pages: readonly unknown[]): AppendBase {
  const { blobId, size, checksum } = object;
  const whole = checksum?.type === "FULL_OBJECT" ? checksum.value : undefined;
  if (blobId !== undefined) {
    const parts = [{ partNumber: 1, start: 0, size, checksum: whole }];
    return { object, slices: [{ start: 0, blobId, offset: 0, length: size }], parts, references: [blobId] };
  }
  const parts = partsFromRows(pages);
  const references = rowsOf<{ readonly holdings: string }>([{ rows: pages, changes: 0 }]).flatMap(
    // insertManifest writes this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    ({ holdings }) => JSON.parse(holdings) as string[],
  );
  return {
    object,
    slices: slicesFromRows(pages),
    // The only part of an object has the object's checksum.
    parts: parts.length === 1 ? parts.map((part) => ({ ...part, checksum: part.checksum ?? whole })) : parts,
    references,
  };
}

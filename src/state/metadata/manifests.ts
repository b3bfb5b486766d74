// Manifests: the slices of which an object is made, kept apart so that HEAD and LIST never read them.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import type { ByteSelection } from "../../protocol/core/range.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "./blob-references.ts";

/** Bytes of a blob that are bytes of an object, from `start` of the object on. */
export interface Slice {
  readonly start: number;
  readonly blobId: string;
  readonly offset: number;
  readonly length: number;
}

/** A whole manifest before it is stored. */
export interface Manifest {
  readonly manifestId: string;
  readonly slices: readonly Slice[];
  readonly parts: readonly ObjectPart[];
  /** Ids of the blobs and manifests that it holds, one as often as it holds it. */
  readonly references: readonly string[];
}

// D1 takes 2 MB in a row. A slice with its part and its holding is some 220 bytes.
const PAGE_ENTRIES = 5000;

/** Stores a manifest: one row for every 5000 slices, parts or holdings, whichever are most. */
export function insertManifest({ manifestId, slices, parts, references }: Manifest): Statement[] {
  const pages = Math.max(1, Math.ceil(Math.max(slices.length, parts.length, references.length) / PAGE_ENTRIES));
  return Array.from({ length: pages }, (_, page) => {
    const ofPage = <Entry>(entries: readonly Entry[]): readonly Entry[] =>
      entries.slice(page * PAGE_ENTRIES, (page + 1) * PAGE_ENTRIES);
    return statement(
      `INSERT INTO manifests (manifest_id, page, slices, parts, holdings) VALUES (?, ?, ?, ?, ?)`,
      manifestId,
      page,
      JSON.stringify(ofPage(slices).map(({ start, blobId, offset, length }) => [start, blobId, offset, length])),
      JSON.stringify(ofPage(parts).map((part) => [part.partNumber, part.start, part.size, part.checksum ?? null])),
      JSON.stringify(ofPage(references)),
    );
  });
}

type SliceRow = { readonly slice: string };

/** How the statement around it knows a manifest's id: a select of one column, with its parameters ?1 … ?n. */
export interface ManifestReference {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** The slices of a version that overlap a selection, in order; none for an object in one blob. */
export function selectSlices({ sql, parameters }: ManifestReference, selection: ByteSelection): Statement {
  const first = `?${parameters.length + 1}`;
  const last = `?${parameters.length + 2}`;
  const [bounds, values] = boundsOf(selection, first, last);
  return statement(
    `WITH chosen (manifest_id) AS (${sql}), bounds (first, last) AS (${bounds})
     SELECT s.value AS slice FROM chosen CROSS JOIN manifests m USING (manifest_id) CROSS JOIN bounds CROSS JOIN json_each(m.slices) s
     WHERE (s.value ->> 0) + (s.value ->> 3) > bounds.first AND s.value ->> 0 <= bounds.last
     ORDER BY m.page, s.key`,
    ...parameters,
    ...values,
  );
}

function boundsOf(selection: ByteSelection, first: string, last: string): [sql: string, values: number[]] {
  switch (selection.kind) {
    case "bytes":
      return [`SELECT ${first}, ${last}`, [selection.first, selection.last]];
    case "suffix": {
      const end = "max((s.value ->> 0) + (s.value ->> 3))";
      const sql = `SELECT ${end} - ${first}, ${end} FROM chosen CROSS JOIN manifests m USING (manifest_id) CROSS JOIN json_each(m.slices) s`;
      return [sql, [selection.length]];
    }
    case "part": {
      const sql = `SELECT p.value ->> 1, (p.value ->> 1) + (p.value ->> 2) - 1
        FROM chosen CROSS JOIN manifests m USING (manifest_id) CROSS JOIN json_each(m.parts) p
        WHERE p.value ->> 0 = ${first}`;
      return [sql, [selection.partNumber]];
    }
  }
}

/** Reads what {@link selectSlices} selects. */
export function slicesFromRows(rows: readonly unknown[]): Slice[] {
  return rows.map((row) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const values: unknown = JSON.parse((row as SliceRow).slice);
    // What insertManifest wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const [start, blobId, offset, length] = values as [number, string, number, number];
    return { start, blobId, offset, length };
  });
}

/** The slices of a manifest whose id is known. */
export function lookUpSlices(manifestId: string, selection: ByteSelection): Lookup<Slice[]> {
  return {
    statements: [selectSlices({ sql: "SELECT ?1", parameters: [manifestId] }, selection)],
    read: (results) => slicesFromRows(results[0]?.rows ?? []),
  };
}

/** The parts of a manifest. */
export function selectParts({ sql, parameters }: ManifestReference): Statement {
  return statement(`SELECT parts FROM manifests WHERE manifest_id = (${sql}) ORDER BY page`, ...parameters);
}

/** Reads what {@link selectParts} selects. */
export function partsFromRows(rows: readonly unknown[]): ObjectPart[] {
  return rows.flatMap((row) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const values: unknown = JSON.parse((row as { readonly parts: string }).parts);
    // What insertManifest wrote.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (values as [number, number, number, string | null][]).map(([partNumber, start, size, checksum]) => ({
      partNumber,
      start,
      size,
      checksum: checksum ?? undefined,
    }));
  });
}

/**
 * Takes manifests that nobody holds any more apart: what they held is dropped in its turn.
 * @param before the time that counts as the drop's, in milliseconds since the epoch
 */
export function purgeManifests(manifestIds: readonly string[], before: number): Statement[] {
  const json = JSON.stringify(manifestIds);
  const ids = "SELECT value FROM json_each(?1)";
  return [
    ...releaseReferences(
      before,
      `SELECT h.value AS id FROM manifests m, json_each(m.holdings) h WHERE m.manifest_id IN (${ids})`,
      json,
    ),
    statement(`DELETE FROM manifests WHERE manifest_id IN (${ids})`, json),
  ];
}

/** Which of some ids are manifests, each with how many bytes the ids of what it holds take. */
export function selectManifestIds(ids: readonly string[]): Lookup<ReadonlyMap<string, number>> {
  return {
    statements: [
      statement(
        `SELECT manifest_id, sum(octet_length(holdings)) AS bytes FROM manifests
         WHERE manifest_id IN (SELECT value FROM json_each(?)) GROUP BY manifest_id`,
        JSON.stringify(ids),
      ),
    ],
    read: (results) =>
      new Map(
        rowsOf<{ readonly manifest_id: string; readonly bytes: number }>(results).map(({ manifest_id: id, bytes }) => [
          id,
          bytes,
        ]),
      ),
  };
}

// Reads the slices of a manifest that overlap a byte range, or one or a page of its parts. The pages are indexed by
// start and first part. Manifests of older releases lack these positions, so all of their pages are read.
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import type { ByteRange, ByteSelection } from "../../protocol/core/range.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import type { Slice } from "./manifests.ts";

/** A manifest's id as SQL: a select of one column, with its parameters ?1 … ?n. */
export interface ManifestReference {
  readonly sql: string;
  readonly parameters: readonly string[];
}

/** Whether the pages of the manifest `c` have no position, so that all of them must be read. */
const IS_WITHOUT_POSITIONS = `(SELECT z.start FROM manifests z
  WHERE z.manifest_id = c.manifest_id AND z.page = 0) IS NULL`;
const LAST_PAGE = 1_000_000;

/** The page of the manifest `c` that contains a byte; 0 if no later page has a position. */
const pageOfByte = (byte: string): string => `coalesce((SELECT m.page FROM manifests m
  WHERE m.manifest_id = c.manifest_id AND m.start > 0 AND m.start <= ${byte} ORDER BY m.start DESC LIMIT 1), 0)`;

/** The only page of the manifest `c` that may list a part of this number. */
const pageOfPart = (partNumber: string): string => `coalesce((SELECT m.page FROM manifests m
  WHERE m.manifest_id = c.manifest_id AND m.start > 0 AND m.first_part <= ${partNumber}
  ORDER BY m.first_part DESC LIMIT 1), 0)`;

/** The last page to read: `page`, or the last of all if pages have no position. */
const lastPage = (page: string): string => `CASE WHEN ${IS_WITHOUT_POSITIONS} THEN ${LAST_PAGE} ELSE ${page} END`;

/** Selects the pages whose slices overlap a selection; no rows for an object in one blob. */
export function selectSlices(reference: ManifestReference, selection: ByteSelection): Statement {
  return selectPages(reference, selection, "m.slices, p.first, p.last");
}

function selectPages({ sql, parameters }: ManifestReference, selection: ByteSelection, columns: string): Statement {
  const first = `?${parameters.length + 1}`;
  const last = `?${parameters.length + 2}`;
  const [bounds, values] = boundsOf(selection, first, last);
  return statement(
    `WITH chosen (manifest_id) AS (${sql}),
     bounds (manifest_id, first, last) AS (${bounds}),
     pages (manifest_id, first, last, low, high) AS MATERIALIZED (
       SELECT c.manifest_id, c.first, c.last, ${pageOfByte("c.first")}, ${lastPage(pageOfByte("c.last"))}
       FROM bounds c)
     SELECT ${columns} FROM pages p
     CROSS JOIN manifests m ON m.manifest_id = p.manifest_id AND m.page BETWEEN p.low AND p.high
     ORDER BY m.page`,
    ...parameters,
    ...values,
  );
}

function boundsOf(selection: ByteSelection, first: string, last: string): [sql: string, values: number[]] {
  switch (selection.kind) {
    case "bytes":
      return [
        `SELECT c.manifest_id, ${first}, ${last} FROM chosen c WHERE c.manifest_id IS NOT NULL`,
        [selection.first, selection.last],
      ];
    case "suffix": {
      const sql = `SELECT c.manifest_id, c.size - ${first}, c.size FROM (
          SELECT c.manifest_id, (
            SELECT (m.slices ->> '$[#-1][0]') + (m.slices ->> '$[#-1][3]') FROM manifests m
            WHERE m.manifest_id = c.manifest_id AND m.slices <> '[]' ORDER BY m.page DESC LIMIT 1) AS size
          FROM chosen c) c WHERE c.size IS NOT NULL`;
      return [sql, [selection.length]];
    }
    case "part": {
      const sql = `SELECT c.manifest_id, p.value ->> 1, (p.value ->> 1) + (p.value ->> 2) - 1
        FROM ${partPages(first)} CROSS JOIN json_each(m.parts) p WHERE p.value ->> 0 = ${first}`;
      return [sql, [selection.partNumber]];
    }
  }
}

/** The pages `m` that may list a part of the manifest `c`. */
function partPages(partNumber: string): string {
  return `(SELECT c.manifest_id, ${pageOfPart(partNumber)} AS low, ${lastPage(pageOfPart(partNumber))} AS high
      FROM chosen c WHERE c.manifest_id IS NOT NULL) c
    CROSS JOIN manifests m ON m.manifest_id = c.manifest_id AND m.page BETWEEN c.low AND c.high`;
}

/** Reads the rows of {@link selectSlices}: the slices that overlap the selection, in order. */
export function slicesFromRows(rows: readonly unknown[]): Slice[] {
  return rows.flatMap((row) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { slices, first, last } = row as { readonly slices: string; readonly first: number; readonly last: number };
    // insertManifest writes this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const values = JSON.parse(slices) as readonly [number, string, number, number][];
    return values
      .filter(([start, , , length]) => start + length > first && start <= last)
      .map(([start, blobId, offset, length]) => ({ start, blobId, offset, length }));
  });
}

/** Looks up slices of a manifest by its id. */
export function lookUpSlices(manifestId: string, selection: ByteSelection): Lookup<Slice[]> {
  return {
    statements: [selectSlices({ sql: "SELECT ?1", parameters: [manifestId] }, selection)],
    read: (results) => slicesFromRows(results[0]?.rows ?? []),
  };
}

/** Looks up the slices of a byte range, and the parts that lie in it. */
export function lookUpRange(
  manifestId: string,
  range: ByteRange,
): Lookup<{ readonly slices: readonly Slice[]; readonly parts: readonly ObjectPart[] }> {
  const first = range.offset;
  const last = range.offset + range.length - 1;
  const reference = { sql: "SELECT ?1", parameters: [manifestId] };
  return {
    statements: [selectPages(reference, { kind: "bytes", first, last }, "m.slices, m.parts, p.first, p.last")],
    read: (results) => {
      const rows = results[0]?.rows ?? [];
      const parts = partsFromRows(rows).filter(
        ({ start, size }) => size > 0 && start >= first && start + size - 1 <= last,
      );
      return { slices: slicesFromRows(rows), parts };
    },
  };
}

/** Which parts of a manifest to read: all, one by its number, or at most `limit` after a number. */
export type PartSelection =
  | { readonly kind: "all" }
  | { readonly kind: "one"; readonly partNumber: number }
  | { readonly kind: "page"; readonly after: number; readonly limit: number };

/** Selects parts of a manifest; no rows for an object in one blob. */
export function selectParts({ sql, parameters }: ManifestReference, selection: PartSelection): Statement {
  const [first, second] = [`?${parameters.length + 1}`, `?${parameters.length + 2}`];
  switch (selection.kind) {
    case "all":
      return statement(`SELECT parts FROM manifests WHERE manifest_id = (${sql}) ORDER BY page`, ...parameters);
    case "one":
      return statement(
        `WITH chosen (manifest_id) AS (${sql})
         SELECT json_array(json(p.value)) AS parts FROM ${partPages(first)} CROSS JOIN json_each(m.parts) p
         WHERE p.value ->> 0 = ${first}`,
        ...parameters,
        selection.partNumber,
      );
    case "page":
      // Starts at the page of the next part and stops when the pages after it contain `limit` parts.
      return statement(
        `WITH RECURSIVE chosen (manifest_id) AS (${sql}),
         walk (manifest_id, page, parts, found) AS (
           SELECT m.manifest_id, m.page, m.parts, 0 FROM chosen c
           CROSS JOIN manifests m ON m.manifest_id = c.manifest_id AND m.page = ${pageOfPart(`${first} + 1`)}
           UNION ALL
           SELECT m.manifest_id, m.page, m.parts, w.found + json_array_length(m.parts) FROM walk w
           CROSS JOIN manifests m ON m.manifest_id = w.manifest_id AND m.page = w.page + 1
           WHERE w.found < ${second})
         SELECT parts FROM walk ORDER BY page`,
        ...parameters,
        selection.after,
        selection.limit,
      );
  }
}

/**
 * Reads the rows of {@link selectParts}. For a page of parts, these include further parts of the manifest pages read.
 */
export function partsFromRows(rows: readonly unknown[]): ObjectPart[] {
  return rowsOf<{ readonly parts: string }>([{ rows, changes: 0 }]).flatMap(({ parts }) => {
    // insertManifest writes this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const values = JSON.parse(parts) as readonly [number, number, number, string | null][];
    return values.map(([partNumber, start, size, checksum]) => ({
      partNumber,
      start,
      size,
      checksum: checksum ?? undefined,
    }));
  });
}

// Lists the blobs that rows need, in the order of the rows: objects, noncurrent versions, parts, manifests. A blob
// appears once per row that needs it. The row of an object with a manifest needs the manifest's proof.
import { proofIdOf, type ProvenVersion } from "../metadata/completion-proofs.ts";
import { rowsOf, statement, type Lookup } from "../d1/database.ts";

const TABLES = ["objects", "versions", "parts", "manifests"] as const;

/** A row, or a slice within one, in the order of the listing. */
export interface NeedPosition {
  readonly table: (typeof TABLES)[number];
  /** The table's sort key. */
  readonly after: readonly [string, string | number, string | number];
}

/** A blob that a row needs. */
export interface NeededBlob {
  readonly blobId: string;
  /** The row, in words. */
  readonly neededBy: string;
  /** Present if the blob is a proof: what it proves. */
  readonly proves?: ProvenVersion;
  readonly position: NeedPosition;
}

/** A page of needed blobs. */
export interface NeededPage {
  readonly needs: readonly NeededBlob[];
  /** Undefined on the last page. */
  readonly next: NeedPosition | undefined;
}

interface NeedRow {
  /** null: the row needs no blob. */
  readonly blob_id: string | null;
  readonly manifest_id: string | null;
  readonly needed_by: string;
  readonly first: string;
  readonly second: string | number;
  readonly third: string | number;
}

/** What the store must have for a blob: itself, the pack of a small blob, or nothing for an inline one. */
const inStore = (id: string): string => `(SELECT iif(small.blob_id IS NULL, needed.id, small.pack_id)
    FROM (SELECT ${id} AS id) needed LEFT JOIN small_blobs small ON small.blob_id = needed.id)`;

export const FIRST_NEED: NeedPosition = { table: "objects", after: ["", "", ""] };

/** ?1 to ?3 are the sort key to continue after, ?4 is the limit. */
const SELECTS: Readonly<Record<NeedPosition["table"], string>> = {
  objects: `
    SELECT ${inStore("objects.blob_id")} AS blob_id, manifest_id, 'object ' || bucket_id || '/' || key AS needed_by, bucket_id AS first, key AS second, ?3 AS third
    FROM objects WHERE (bucket_id, key) > (?1, ?2) ORDER BY bucket_id, key LIMIT ?4`,
  versions: `
    SELECT ${inStore("versions.blob_id")} AS blob_id, manifest_id, 'version ' || version_id || ' of ' || bucket_id || '/' || key AS needed_by,
      bucket_id AS first, key AS second, version_id AS third
    FROM versions WHERE (bucket_id, key, version_id) > (?1, ?2, ?3) ORDER BY bucket_id, key, version_id LIMIT ?4`,
  parts: `
    SELECT ${inStore("s.value")} AS blob_id, NULL AS manifest_id, 'part ' || p.part_number || ' of upload ' || p.upload_id AS needed_by,
      p.upload_id AS first, p.part_number AS second, s.key AS third
    FROM parts p CROSS JOIN json_each(CASE WHEN p.slices IS NULL THEN json_array(p.holding_id)
      ELSE (SELECT json_group_array(value ->> 0) FROM json_each(p.slices)) END) s
    WHERE (p.upload_id, p.part_number) >= (?1, ?2) AND (p.upload_id, p.part_number, s.key) > (?1, ?2, ?3)
    ORDER BY p.upload_id, p.part_number, s.key LIMIT ?4`,
  manifests: `
    SELECT ${inStore("s.value ->> 1")} AS blob_id, NULL AS manifest_id, 'manifest ' || m.manifest_id AS needed_by,
      m.manifest_id AS first, m.page AS second, s.key AS third
    FROM manifests m CROSS JOIN json_each(m.slices) s
    WHERE (m.manifest_id, m.page) >= (?1, ?2) AND (m.manifest_id, m.page, s.key) > (?1, ?2, ?3)
    ORDER BY m.manifest_id, m.page, s.key LIMIT ?4`,
};

/** Looks up a page of needed blobs. A page may be empty although more follow. */
export function lookUpNeededBlobs({ table, after }: NeedPosition, limit: number): Lookup<NeededPage> {
  return {
    statements: [statement(SELECTS[table], ...after, limit)],
    read: (results) => {
      const rows = rowsOf<NeedRow>(results);
      const needs = rows.flatMap((row) => neededBlob(table, row) ?? []);
      const last = rows.length === limit ? rows.at(-1) : undefined;
      return { needs, next: last === undefined ? firstOfNext(table) : positionOf(table, last) };
    },
  };
}

function neededBlob(table: NeedPosition["table"], row: NeedRow): NeededBlob | undefined {
  const { blob_id: blobId, manifest_id: manifestId, needed_by: neededBy } = row;
  const position = positionOf(table, row);
  if (blobId !== null) return { blobId, neededBy, position };
  if (manifestId === null) return undefined;
  const proves = { bucketId: row.first, key: String(row.second), manifestId };
  return { blobId: proofIdOf(manifestId), neededBy, proves, position };
}

function positionOf(table: NeedPosition["table"], { first, second, third }: NeedRow): NeedPosition {
  return { table, after: [first, second, third] };
}

function firstOfNext(table: NeedPosition["table"]): NeedPosition | undefined {
  const next = TABLES[TABLES.indexOf(table) + 1];
  if (next === undefined) return undefined;
  return { table: next, after: next === "versions" ? ["", "", ""] : ["", -1, -1] };
}

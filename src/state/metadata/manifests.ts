// The manifests table: the slices and parts of multipart objects, apart from the objects table so that HEAD and LIST
// never read them. Manifests are stored in pages, so that a ranged read costs only the pages it needs
// (manifest-reads.ts).
import type { ObjectPart } from "../../protocol/objects/object-reading.ts";
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";
import { releaseReferences } from "./blob-references.ts";
import { jsonPages } from "../d1/json-pages.ts";

/** A range of a blob that provides an object's bytes from `start` on. */
export interface Slice {
  readonly start: number;
  readonly blobId: string;
  readonly offset: number;
  readonly length: number;
}

/** A whole manifest. */
export interface Manifest {
  readonly manifestId: string;
  readonly slices: readonly Slice[];
  readonly parts: readonly ObjectPart[];
  /** Ids of the blobs and manifests that it references, one entry per reference. */
  readonly references: readonly string[];
}

/** The most slices of a page. A page row takes about 20 KB, which is the cost of reading any byte. */
export const PAGE_SLICES = 128;

/** A page of a manifest: slices, the parts that begin with one of them, and a share of the references. */
interface ManifestPage {
  readonly slices: readonly Slice[];
  readonly parts: readonly ObjectPart[];
  readonly references: readonly string[];
}

function pagesOf({ slices, parts, references }: Manifest): ManifestPage[] {
  const count = Math.max(1, Math.ceil(slices.length / PAGE_SLICES));
  const referencesPerPage = Math.ceil(references.length / count);
  let nextPart = 0;
  return Array.from({ length: count }, (_, page) => {
    const end = slices[(page + 1) * PAGE_SLICES]?.start ?? Infinity;
    const firstPart = nextPart;
    while (nextPart < parts.length && (parts[nextPart]?.start ?? 0) < end) nextPart += 1;
    return {
      slices: slices.slice(page * PAGE_SLICES, (page + 1) * PAGE_SLICES),
      parts: parts.slice(firstPart, nextPart),
      references: references.slice(page * referencesPerPage, (page + 1) * referencesPerPage),
    };
  });
}

/**
 * Inserts a manifest, one row per page. The indexes contain only pages after the first, so a manifest of one page adds
 * no index entry.
 */
export function insertManifest(manifest: Manifest): Statement[] {
  const rows = pagesOf(manifest).map(({ slices, parts, references }, page) => [
    page,
    slices[0]?.start ?? 0,
    parts[0]?.partNumber ?? null,
    slices.map(({ start, blobId, offset, length }) => [start, blobId, offset, length]),
    parts.map((part) => [part.partNumber, part.start, part.size, part.checksum ?? null]),
    references,
  ]);
  return jsonPages(rows).map((json) =>
    statement(
      `INSERT INTO manifests (manifest_id, page, start, first_part, slices, parts, holdings)
       SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value -> 3, value -> 4, value -> 5 FROM json_each(?2)`,
      manifest.manifestId,
      json,
    ),
  );
}

/**
 * Purges manifests without references, and releases the references that they contain.
 * @param releasedAt the time to record for the releases, in milliseconds since the epoch
 */
export function purgeManifests(manifestIds: readonly string[], releasedAt: number): Statement[] {
  const json = JSON.stringify(manifestIds);
  const ids = "SELECT value FROM json_each(?1)";
  return [
    releaseReferences(
      releasedAt,
      `SELECT h.value AS id FROM manifests m, json_each(m.holdings) h WHERE m.manifest_id IN (${ids})`,
      json,
    ),
    statement(`DELETE FROM manifests WHERE manifest_id IN (${ids})`, json),
  ];
}

/** Looks up which ids are manifests, with the size in bytes of each one's list of references. */
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

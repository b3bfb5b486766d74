// Copies annotations from one version to another: within a database in the batch that writes the new version, between
// databases through the Worker.
import type { ChecksumAlgorithm } from "../../protocol/core/checksums.ts";
import { rowsOf, statement, type Database, type Lookup, type Statement } from "../d1/database.ts";
import { jsonPages } from "../d1/json-pages.ts";
import type { AnnotatedVersion } from "./annotations.ts";

/** The key whose new current version gets annotations. */
export interface CopyDestination {
  readonly bucketId: string;
  readonly key: string;
}

interface CopiedRow {
  readonly name: string;
  readonly size: number;
  readonly etag: string;
  readonly checksum_algorithm: ChecksumAlgorithm;
  readonly checksum: string;
  readonly payload: string;
}

const COLUMNS = ["name", "size", "etag", "checksum_algorithm", "checksum", "payload"] as const;
const INSERT = `INSERT INTO annotations (bucket_id, key, version_id, modified_at, ${COLUMNS.join(", ")})`;
const DESTINATION = "?1, ?2, (SELECT version_id FROM objects WHERE bucket_id = ?1 AND key = ?2), ?3";
/** A larger payload is a parameter of its own: as JSON, it could exceed the size of one. */
const LARGE_BYTES = 60_000;

/** Looks up whether any version of some keys has annotations, which costs a key without them nothing. */
export function lookUpAnnotatedKeys(
  bucketName: string,
  keys: readonly string[],
): Lookup<{ readonly isAnnotated: boolean }> {
  const exists = keys.map(
    (_, index) => `EXISTS (SELECT 1 FROM annotations
      WHERE bucket_id = (SELECT id FROM buckets WHERE name = ?1) AND key = ?${index + 2})`,
  );
  if (keys.length === 0) return { statements: [], read: () => ({ isAnnotated: false }) };
  return {
    statements: [{ ...statement(`SELECT ${exists.join(" OR ")} AS found`, bucketName, ...keys), bucketName }],
    read: (results) => ({ isAnnotated: rowsOf<{ readonly found: number }>(results)[0]?.found === 1 }),
  };
}

/** Whether a version has annotations. */
export async function hasAnnotations(database: Database, version: AnnotatedVersion): Promise<boolean> {
  const { bucketId, key, versionId } = version;
  const sql = "SELECT 1 FROM annotations WHERE bucket_id = ? AND key = ? AND version_id = ? LIMIT 1";
  return rowsOf(await database.batch([statement(sql, bucketId, key, versionId)])).length > 0;
}

/**
 * The statement that gives the annotations of a version to the new current version of a key in the same database.
 * @param now the time of the copies, in milliseconds since the epoch
 */
export function copyVersionAnnotations(from: AnnotatedVersion, to: CopyDestination, now: number): Statement {
  return statement(
    `${INSERT} SELECT ${DESTINATION}, ${COLUMNS.join(", ")} FROM annotations
     WHERE bucket_id = ?4 AND key = ?5 AND version_id = ?6`,
    to.bucketId,
    to.key,
    now,
    from.bucketId,
    from.key,
    from.versionId,
  );
}

/** The statements that do the same from another database, which they read first. */
export async function copyForeignAnnotations(
  database: Database,
  from: AnnotatedVersion,
  to: CopyDestination,
  now: number,
): Promise<Statement[]> {
  const results = await database.batch([
    statement(
      `SELECT ${COLUMNS.join(", ")} FROM annotations WHERE bucket_id = ? AND key = ? AND version_id = ?`,
      from.bucketId,
      from.key,
      from.versionId,
    ),
  ]);
  const rows = rowsOf<CopiedRow>(results);
  const valuesOf = (row: CopiedRow): (string | number)[] => COLUMNS.map((column) => row[column]);
  const small = rows.filter(({ size }) => size <= LARGE_BYTES).map(valuesOf);
  return [
    ...rows
      .filter(({ size }) => size > LARGE_BYTES)
      .map((row) => {
        const places = COLUMNS.map((_, index) => `?${index + 4}`).join(", ");
        return statement(`${INSERT} SELECT ${DESTINATION}, ${places}`, to.bucketId, to.key, now, ...valuesOf(row));
      }),
    ...jsonPages(small).map((json) =>
      statement(
        `${INSERT} SELECT ${DESTINATION}, ${COLUMNS.map((_, index) => `value ->> ${index}`).join(", ")}
         FROM json_each(?4)`,
        to.bucketId,
        to.key,
        now,
        json,
      ),
    ),
  ];
}

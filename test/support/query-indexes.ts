// Sets and reads the indexes of a bucket, and compares their entries with the objects.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import { send } from "./client.ts";
import { childrenOf, readXml, textOf } from "./read-xml.ts";
import { bucketId } from "./stored-state.ts";

/** An index of each kind. */
export const EVERY_KIND = [
  "<Tag>*</Tag>",
  "<UserMetadata>*</UserMetadata>",
  ...["ContentType", "StorageClass", "Size", "LastModified"].map((name) => `<Property>${name}</Property>`),
];

export function queryDocument(indexes: readonly string[]): string {
  return `<QueryConfiguration>${indexes.map((index) => `<Index>${index}</Index>`).join("")}</QueryConfiguration>`;
}

export async function setIndexes(bucket: string, indexes: readonly string[]): Promise<void> {
  const response = await send("PUT", `/${bucket}?queryConfiguration`, { body: queryDocument(indexes) });
  expect([response.status, await response.text()]).toEqual([200, ""]);
}

/** The indexes of a bucket with their states. */
export async function indexesOf(bucket: string): Promise<string[]> {
  const response = await send("GET", `/${bucket}?queryConfiguration`);
  expect(response.status).toBe(200);
  return childrenOf(readXml(await response.text()), "Index").map((index) =>
    ["Tag", "UserMetadata", "Property", "Status"].flatMap((name) => textOf(index, name) ?? []).join(" "),
  );
}

/** Inserts objects k/000000, k/000001, … without requests. The tag `rare` is that of one in a thousand. */
export async function insertObjects(bucket: string, count: number, database = env.DB): Promise<void> {
  for (let start = 0; start < count; start += 5000) {
    const numbers = Array.from({ length: Math.min(5000, count - start) }, (_, index) => start + index);
    await database
      .prepare(
        `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id,
           storage_class, tags)
         SELECT (SELECT id FROM buckets WHERE name = ?1), printf('k/%06d', value), printf('g%031d', value), 1, value,
           'e', value * 1000, 'o', ?1 || '/o' || value, 'STANDARD',
           iif(value % 1000 = 7, '[["team","red"],["rare","yes"]]', '[["team","red"]]') FROM json_each(?2)`,
      )
      .bind(bucket, JSON.stringify(numbers))
      .run();
  }
}

/** Expects that the entries of a bucket's indexes are exactly those of its current versions. */
export async function expectExactEntries(bucket: string, database = env.DB): Promise<void> {
  const id = await bucketId(bucket);
  const select = async (from: string): Promise<unknown[]> => {
    const sql = `SELECT index_id, name, value, key FROM ${from} ORDER BY 1, 2, 3, 4`;
    return (await database.prepare(sql).bind(id).all()).results;
  };
  const entries = await select("query_entries WHERE index_id IN (SELECT id FROM query_indexes WHERE bucket_id = ?1)");
  expect(entries).toEqual(await select("query_terms WHERE bucket_id = ?1"));
}

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { compareUtf8 } from "../../src/bytes/text.ts";
import { commonPrefixOf, entriesAfter, type ListingScope } from "../../src/protocol/listings/listing.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { lookUpUploadPage } from "../../src/state/listings/upload-listing.ts";
import { Seeded } from "../unit/bytes/seeded.ts";

interface ModelUpload {
  readonly key: string;
  readonly id: string;
}

const PIECES = ["a", "b", "/", "//", "é", "\u{e000}", "\u{1f600}", "%", "_", "'", "A", "\u{10ffff}", "\u0001"];

function randomUploads(seeded: Seeded, count: number): ModelUpload[] {
  return Array.from({ length: count }, (_, index) => ({
    key: Array.from({ length: 1 + seeded.below(4) }, () => seeded.pick(PIECES)).join(""),
    id: String(index).padStart(36, "0"),
  }));
}

async function insert(bucket: string, uploads: readonly ModelUpload[]): Promise<void> {
  await env.DB.prepare("INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES (?1, ?1, 'o', 'r', 0)")
    .bind(bucket)
    .run();
  await env.DB.prepare(
    `INSERT INTO uploads (bucket_id, key, upload_id, initiated_at, owner_id, storage_class)
     SELECT ?1, value ->> 'key', value ->> 'id', 0, 'o', 'STANDARD' FROM json_each(?2)`,
  )
    .bind(bucket, JSON.stringify(uploads))
    .run();
}

/** Lists a bucket page by page, as a client does, and returns every entry. */
async function listAll(bucket: string, scope: ListingScope, pageSize: number): Promise<string[]> {
  const database = new Database(env.DB, new Counts());
  const shown: string[] = [];
  let [keyMarker, idMarker]: [string, string | undefined] = ["", undefined];
  for (;;) {
    const position = entriesAfter(keyMarker, idMarker, scope);
    const page = { bucketName: bucket, ...scope, ...position, limit: pageSize };
    const { entries, isTruncated } = await database.look(lookUpUploadPage(page));
    for (const entry of entries) {
      if ("commonPrefix" in entry) shown.push(`prefix:${entry.commonPrefix}`);
      else shown.push(JSON.stringify([entry.upload.key, entry.upload.uploadId]));
    }
    const last = entries.at(-1);
    if (!isTruncated || last === undefined) return shown;
    [keyMarker, idMarker] =
      "commonPrefix" in last ? [last.commonPrefix, undefined] : [last.upload.key, last.upload.uploadId];
  }
}

/** The expected listing, computed over all uploads. */
function expected(uploads: readonly ModelUpload[], scope: ListingScope): string[] {
  const shown = new Set<string>();
  for (const { key, id } of uploads.toSorted((a, b) => compareUtf8(a.key, b.key) || compareUtf8(a.id, b.id))) {
    if (!key.startsWith(scope.prefix)) continue;
    const prefix = commonPrefixOf(key, scope);
    shown.add(prefix === undefined ? JSON.stringify([key, id]) : `prefix:${prefix}`);
  }
  return Array.from(shown);
}

describe("a page of uploads", () => {
  const bucket = `uploads-${crypto.randomUUID()}`;
  const uploads = randomUploads(new Seeded(5), 70);

  beforeAll(() => insert(bucket, uploads));

  const scopes = ["", "a", "a/", "é", "\u{10ffff}", "'", "%", "zz"].flatMap((prefix) =>
    ["", "/", "//", "a", "\u{1f600}", "\u{10ffff}"].map((delimiter) => ({ prefix, delimiter })),
  );

  it.each(scopes)("returns what a naive listing returns, for any page size: %j", async (scope) => {
    const whole = expected(uploads, scope);
    for (const size of [1, 1000]) expect(await listAll(bucket, scope, size), String(size)).toEqual(whole);
  });

  it.each(["", "/"])("reads rows in proportion to its entries, however many uploads exist: %j", async (delimiter) => {
    const large = `uploads-${crypto.randomUUID()}`;
    const many = Array.from({ length: 3000 }, (_, index) => ({ key: `p${index % 30}/${index}`, id: "0" }));
    await insert(large, many);
    const counts = new Counts();
    const scope = { prefix: "", delimiter };
    const page = { bucketName: large, ...scope, ...entriesAfter("", undefined, scope), limit: 3 };
    const { entries } = await new Database(env.DB, counts).look(lookUpUploadPage(page));
    expect(entries).toHaveLength(3);
    expect(counts.snapshot().d1RowsRead).toBeLessThan(40);
  });
});

import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { compareUtf8 } from "../../src/bytes/text.ts";
import { commonPrefixOf, entriesAfter, type ListingScope } from "../../src/protocol/listings/listing.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { lookUpNullVersion, lookUpVersionPage } from "../../src/state/listings/version-listing.ts";
import { Seeded } from "../unit/bytes/seeded.ts";

/** A version of the model: what its table would contain. */
interface ModelVersion {
  readonly key: string;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly isMarker: boolean;
  readonly isNull: boolean;
}

const PIECES = ["a", "b", "/", "//", "é", "\u{e000}", "\u{1f600}", "%", "_", "'", "A", "\u{10ffff}", "\u0001"];

function randomVersions(seeded: Seeded, keys: number): ModelVersion[] {
  const names = new Set<string>();
  while (names.size < keys) names.add(Array.from({ length: 1 + seeded.below(5) }, () => seeded.pick(PIECES)).join(""));
  return Array.from(names).flatMap((key) => {
    const count = 1 + seeded.below(4);
    const nullAt = seeded.below(count + 2);
    const isMarkedAtTop = seeded.below(3) === 0;
    return Array.from({ length: count }, (_, index) => ({
      key,
      id: `${index}${key.length}`.padEnd(32, "0"),
      isCurrent: index === 0 && !isMarkedAtTop,
      isMarker: index === 0 ? isMarkedAtTop : seeded.below(3) === 0,
      isNull: index === nullAt,
    }));
  });
}

async function insert(bucket: string, versions: readonly ModelVersion[]): Promise<void> {
  await env.DB.prepare("INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES (?1, ?1, 'o', 'r', 0)")
    .bind(bucket)
    .run();
  const common = "bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, storage_class";
  const values = "?1, value ->> 'key', value ->> 'id', value ->> 'isNull', 1, 'e', 0, 'o', 'STANDARD'";
  const json = JSON.stringify(versions);
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO objects (${common}) SELECT ${values} FROM json_each(?2) WHERE value ->> 'isCurrent'`,
    ).bind(bucket, json),
    env.DB.prepare(
      `INSERT INTO versions (${common}, is_delete_marker) SELECT ${values}, value ->> 'isMarker'
       FROM json_each(?2) WHERE NOT value ->> 'isCurrent'`,
    ).bind(bucket, json),
  ]);
}

/** Lists a bucket page by page, as a client does, and returns every entry. */
async function listAll(
  bucket: string,
  scope: ListingScope,
  pageSize: number,
  counts = new Counts(),
): Promise<string[]> {
  const database = new Database(env.DB, counts);
  const shown: string[] = [];
  let [keyMarker, idMarker]: [string, string | undefined] = ["", undefined];
  for (;;) {
    const position = entriesAfter(keyMarker, idMarker, scope);
    const page = { bucketName: bucket, ...scope, ...position, limit: pageSize };
    const { entries, isTruncated } = await database.look(lookUpVersionPage(page));
    for (const entry of entries) {
      if ("commonPrefix" in entry) shown.push(`prefix:${entry.commonPrefix}`);
      else {
        const { key, versionId, isLatest, isDeleteMarker, isNullVersion } = entry.version;
        shown.push(JSON.stringify([key, versionId, isLatest, isDeleteMarker, isNullVersion]));
      }
    }
    const last = entries.at(-1);
    if (!isTruncated || last === undefined) return shown;
    [keyMarker, idMarker] =
      "commonPrefix" in last ? [last.commonPrefix, undefined] : [last.version.key, last.version.versionId];
  }
}

/** The expected listing, computed over all versions. */
function expected(versions: readonly ModelVersion[], scope: ListingScope): string[] {
  const ordered = versions.toSorted((a, b) => compareUtf8(a.key, b.key) || compareUtf8(a.id, b.id));
  const shown = new Set<string>();
  ordered.forEach(({ key, id, isMarker, isNull }, index) => {
    if (!key.startsWith(scope.prefix)) return;
    const prefix = commonPrefixOf(key, scope);
    const isLatest = ordered[index - 1]?.key !== key;
    shown.add(prefix === undefined ? JSON.stringify([key, id, isLatest, isMarker, isNull]) : `prefix:${prefix}`);
  });
  return Array.from(shown);
}

describe("a page of versions", () => {
  const bucket = `versions-${crypto.randomUUID()}`;
  const versions = randomVersions(new Seeded(3), 30);

  beforeAll(() => insert(bucket, versions));

  const scopes = ["", "a", "a/", "é", "\u{10ffff}", "'", "%", "zz"].flatMap((prefix) =>
    ["", "/", "//", "a", "\u{1f600}", "\u{10ffff}"].map((delimiter) => ({ prefix, delimiter })),
  );

  it.each(scopes)("returns what a naive listing returns, for any page size: %j", async (scope) => {
    const whole = expected(versions, scope);
    for (const size of [1, 1000]) expect(await listAll(bucket, scope, size), String(size)).toEqual(whole);
  });

  it.each(["", "/"])("reads rows in proportion to its entries, however many versions exist: %j", async (delimiter) => {
    const large = `versions-${crypto.randomUUID()}`;
    const many = Array.from({ length: 3000 }, (_, index) => ({
      key: `p${index % 30}/${index % 1500}`,
      id: String(Math.floor(index / 1500)),
      isCurrent: index % 2 === 0 && index < 1500,
      isMarker: index % 2 === 1,
      isNull: false,
    }));
    await insert(large, many);
    const counts = new Counts();
    const scope = { prefix: "", delimiter };
    const page = { bucketName: large, ...scope, ...entriesAfter("", undefined, scope), limit: 3 };
    const { entries } = await new Database(env.DB, counts).look(lookUpVersionPage(page));
    expect(entries).toHaveLength(3);
    expect(counts.snapshot().d1RowsRead).toBeLessThan(80);
  });

  it("orders the null version of a key by its stored id", async () => {
    const database = new Database(env.DB, new Counts());
    for (const key of new Set(versions.map((version) => version.key))) {
      const id = versions.find((version) => version.key === key && version.isNull)?.id;
      expect(await database.look(lookUpNullVersion(bucket, key)), key).toBe(id);
    }
  });

  it("is empty for max-keys 0", async () => {
    const page = { bucketName: bucket, prefix: "", delimiter: "", afterKey: "", afterId: "", limit: 0 };
    const {
      entries,
      isTruncated,
      bucket: found,
    } = await new Database(env.DB, new Counts()).look(lookUpVersionPage(page));
    expect([entries, isTruncated, found?.name]).toEqual([[], false, bucket]);
  });
});

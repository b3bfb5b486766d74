// The rows that a query reads are bounded for every bucket: a longer query is paged.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { freshBucket } from "../support/fresh-bucket.ts";
import { queryPage, queryPages } from "../support/queries.ts";
import { freshUser } from "../support/users.ts";

const OBJECTS = 25_000;
const MAX_ROWS = 10_000;

describe("a query of a bucket with 25,000 objects", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    for (let start = 0; start < OBJECTS; start += 5000) {
      const numbers = JSON.stringify(Array.from({ length: 5000 }, (_, index) => start + index));
      await env.DB.prepare(
        `INSERT INTO objects (bucket_id, key, version_id, is_null_version, size, etag, modified_at, owner_id, blob_id,
           storage_class, tags)
         SELECT (SELECT id FROM buckets WHERE name = ?1), printf('k/%06d', value), printf('g%031d', value), 1, value,
           'e', 0, 'o', ?1 || '/o' || value, 'STANDARD', '[["team","red"]]' FROM json_each(?2)`,
      )
        .bind(bucket, numbers)
        .run();
    }
  });

  it("that finds a rare object reads at most 10,000 rows for a page, in one round trip", async () => {
    const pages = await queryPages(bucket, { "min-size": String(OBJECTS - 1), scan: "true" });
    expect(pages.map(({ keys }) => keys)).toEqual([[], [], [], [], ["k/024999"], []]);
    for (const { cost } of pages) {
      expect(cost).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
      expect(cost.rowsRead).toBeLessThanOrEqual(MAX_ROWS + 20);
    }
  });

  it("that many objects match ends its page with max-keys", async () => {
    const { keys, cost } = await queryPage(bucket, { "tag.team": "red", "max-keys": "10" });
    expect(keys).toEqual(Array.from({ length: 10 }, (_, index) => `k/00000${index}`));
    expect(cost.roundTrips).toBe(1);
    expect(cost.rowsRead).toBeLessThanOrEqual(MAX_ROWS + 20);
  });

  it("reads no more for a caller who may read none of the matches", async () => {
    const { credentials } = await freshUser({
      Effect: "Allow",
      Action: ["s3:QueryBucket", "s3:ListBucket"],
      Resource: "*",
    });
    const { keys, nextToken, cost } = await queryPage(bucket, { "tag.team": "red", scan: "true" }, { credentials });
    expect([keys, nextToken === undefined]).toEqual([[], false]);
    expect(cost.roundTrips).toBeLessThanOrEqual(MAX_ROWS / 2 / 250 + 1);
    expect(cost.rowsRead).toBeLessThanOrEqual(MAX_ROWS + 200);
  });

  it("with a narrow prefix reads only that range", async () => {
    const { keys, cost } = await queryPage(bucket, { glob: "k/0123*5" });
    expect(keys).toHaveLength(10);
    expect(cost.rowsRead).toBeLessThanOrEqual(220);
  });
});

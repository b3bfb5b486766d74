// The cost of moving versions depends on the named versions, not on the number of versions of a key.
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

const OLD_VERSIONS = 500;
const ENABLED = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
const SUSPENDED = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";

/** An id that sorts after every id of a current write: older. */
const oldId = (number: number): string => `v${String(number).padStart(31, "0")}`;

let bucket = "";

beforeAll(async () => {
  bucket = await freshBucket();
  await send("PUT", `/${bucket}/k`, { body: "the null version" });
  await send("PUT", `/${bucket}?versioning`, { body: ENABLED });
  await send("PUT", `/${bucket}/k`, { body: "current" });
  await env.DB.prepare(
    `INSERT INTO versions (bucket_id, key, version_id, is_null_version, is_delete_marker, size, etag, modified_at,
       owner_id, storage_class)
     SELECT (SELECT id FROM buckets WHERE name = ?1), 'k', value, 0, 1, 0, '', 0, 'o', 'STANDARD' FROM json_each(?2)`,
  )
    .bind(bucket, JSON.stringify(Array.from({ length: OLD_VERSIONS }, (_, index) => oldId(index))))
    .run();
});

describe("in a key of 500 old versions", () => {
  it.each([
    ["reading the current version", "GET", ""],
    ["reading an old version", "HEAD", `?versionId=${oldId(250)}`],
    ["reading the null version", "GET", "?versionId=null"],
    ["removing an old version", "DELETE", `?versionId=${oldId(250)}`],
    ["putting a new version", "PUT", ""],
    ["removing the null version", "DELETE", "?versionId=null"],
    ["deleting the key", "DELETE", ""],
  ])("%s reads a few rows", async (_what, method, query) => {
    const response = await send(method, `/${bucket}/k${query}`);
    await response.body?.cancel();
    expect(costOf(response).rowsRead).toBeLessThan(100);
  });

  it("replacing the null version of a suspended bucket reads a few rows", async () => {
    await send("PUT", `/${bucket}?versioning`, { body: SUSPENDED });
    for (let turn = 0; turn < 2; turn += 1) {
      expect(costOf(await send("PUT", `/${bucket}/k`, { body: "null" })).rowsRead).toBeLessThan(100);
    }
  });

  it("the listing reads a few rows for each returned version", async () => {
    const response = await send("GET", `/${bucket}?versions&max-keys=10`);
    expect(await response.text()).toContain("<IsTruncated>true</IsTruncated>");
    expect(costOf(response).rowsRead).toBeLessThan(300);
  });
});

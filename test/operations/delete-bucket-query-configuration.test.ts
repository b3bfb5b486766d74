import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { buildQueryIndexes } from "../../src/jobs/build-query-indexes.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { found } from "../support/queries.ts";
import { EVERY_KIND, setIndexes } from "../support/query-indexes.ts";
import { bucketId } from "../support/stored-state.ts";

async function indexIds(bucket: string): Promise<number[]> {
  const rows = await env.DB.prepare("SELECT id FROM query_indexes WHERE bucket_id = ?")
    .bind(bucket)
    .all<{ id: number }>();
  return rows.results.map(({ id }) => id);
}

async function entriesOf(ids: readonly number[]): Promise<unknown> {
  const sql = "SELECT count(*) AS n FROM query_entries WHERE index_id IN (SELECT value FROM json_each(?))";
  return env.DB.prepare(sql).bind(JSON.stringify(ids)).first("n");
}

it("DeleteBucketQueryConfiguration drops the indexes, whose entries the job purges", async () => {
  const bucket = await freshBucket();
  await setIndexes(bucket, EVERY_KIND);
  await putAll(bucket, { a: "1", b: "22" });
  const ids = await indexIds(await bucketId(bucket));
  expect([ids.length, await entriesOf(ids)]).toEqual([6, 8]);
  expect((await send("DELETE", `/${bucket}?queryConfiguration`)).status).toBe(204);
  expect((await send("GET", `/${bucket}?queryConfiguration`)).status).toBe(404);
  expect(await found(bucket, { "min-size": "2" })).toEqual(["b"]);
  await putAll(bucket, { c: "333" });
  expect(await found(bucket, { "min-size": "2" })).toEqual(["b", "c"]);
  await runPass(buildQueryIndexes, Date.now());
  expect(await entriesOf(ids)).toBe(0);
});

it("the deletion of an indexed bucket leaves nothing of its indexes", async () => {
  const bucket = await freshBucket();
  const id = await bucketId(bucket);
  await setIndexes(bucket, EVERY_KIND);
  await putAll(bucket, { a: "1" });
  const ids = await indexIds(id);
  await send("DELETE", `/${bucket}/a`);
  expect((await send("DELETE", `/${bucket}`)).status).toBe(204);
  expect([await indexIds(id), await entriesOf(ids)]).toEqual([[], 0]);
  await runPass(buildQueryIndexes, Date.now());
  const sql = "SELECT count(*) AS n FROM deleted_query_indexes WHERE id IN (SELECT value FROM json_each(?))";
  expect(await env.DB.prepare(sql).bind(JSON.stringify(ids)).first("n")).toBe(0);
});

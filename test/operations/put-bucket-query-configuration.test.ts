import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { buildQueryIndexes } from "../../src/jobs/build-query-indexes.ts";
import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { IN_STORE } from "../support/inline.ts";
import { runPass } from "../support/jobs.ts";
import { found } from "../support/queries.ts";
import { EVERY_KIND, expectExactEntries, indexesOf, insertObjects, setIndexes } from "../support/query-indexes.ts";
import { bucketId } from "../support/stored-state.ts";

const entriesOf = async (bucket: string): Promise<number> =>
  (await env.DB.prepare(
    "SELECT count(*) AS n FROM query_entries WHERE index_id IN (SELECT id FROM query_indexes WHERE bucket_id = ?)",
  )
    .bind(await bucketId(bucket))
    .first<number>("n")) ?? 0;

describe("PutBucketQueryConfiguration", () => {
  it("indexes an existing bucket at once", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "1", b: "22" });
    await setIndexes(bucket, EVERY_KIND);
    expect(await indexesOf(bucket)).toEqual([
      "* Active",
      "* Active",
      "ContentType Active",
      "StorageClass Active",
      "Size Active",
      "LastModified Active",
    ]);
    expect(await entriesOf(bucket)).toBe(8);
    await expectExactEntries(bucket);
  });

  it("takes back what GetBucketQueryConfiguration returns", async () => {
    const bucket = await freshBucket();
    await setIndexes(bucket, [
      "<Tag>team a</Tag>",
      "<UserMetadata>Build-SHA</UserMetadata>",
      "<Property>Size</Property>",
    ]);
    expect(await indexesOf(bucket)).toEqual(["team a Active", "build-sha Active", "Size Active"]);
    const text = await (await send("GET", `/${bucket}?queryConfiguration`)).text();
    expect((await send("PUT", `/${bucket}?queryConfiguration`, { body: text })).status).toBe(200);
    expect(await indexesOf(bucket)).toEqual(["team a Active", "build-sha Active", "Size Active"]);
  });

  it("keeps the indexes that stay, and drops the others with their entries", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/a`, { body: "1", headers: { "x-amz-tagging": "team=red&stage=x" } });
    await setIndexes(bucket, ["<Tag>team</Tag>", "<Tag>stage</Tag>", "<Property>Size</Property>"]);
    const id = await bucketId(bucket);
    const ids = async () =>
      (
        await env.DB.prepare("SELECT kind, name, id FROM query_indexes WHERE bucket_id = ? ORDER BY kind, name")
          .bind(id)
          .all()
      ).results;
    const [, , team] = await ids();
    await setIndexes(bucket, ["<Tag>team</Tag>", "<Property>StorageClass</Property>"]);
    expect(await ids()).toEqual([expect.objectContaining({ kind: "class" }), team]);
    await runPass(buildQueryIndexes, Date.now());
    const left = await env.DB.prepare("SELECT count(*) AS n FROM deleted_query_indexes").first("n");
    expect([await entriesOf(bucket), left]).toEqual([2, 0]);
    // The entry that an index of the same name had earlier does not come back.
    await send("PUT", `/${bucket}/a?tagging`, { body: "<Tagging><TagSet/></Tagging>" });
    await setIndexes(bucket, ["<Tag>stage</Tag>"]);
    expect(await entriesOf(bucket)).toBe(0);
  });

  it("costs other buckets no row, and an indexed one a row for each entry that changes", async () => {
    const [plain, indexed] = [await freshBucket(), await freshBucket()];
    await setIndexes(indexed, ["<Tag>*</Tag>", "<Property>Size</Property>"]);
    const put = async (bucket: string, body: string) =>
      costOf(await send("PUT", `/${bucket}/k`, { body, headers: { "x-amz-tagging": "a=1&b=2" } }, IN_STORE));
    expect(await put(plain, "1")).toMatchObject({ roundTrips: 2, rowsWritten: 1 });
    const other = await put(plain, "2");
    expect(await put(indexed, "1")).toMatchObject({ roundTrips: 2, rowsWritten: 4 });
    // The tags and the size stay, so only the object's row and its old blob are written, as in the other bucket.
    expect(await put(indexed, "2")).toMatchObject({ roundTrips: 2, rowsWritten: other.rowsWritten });
  });

  it.each([
    ["", "MalformedXML"],
    ["<Index/>", "MalformedXML"],
    ["<Index><Tag>a</Tag><Tag>b</Tag></Index>", "MalformedXML"],
    ["<Index><Tag>a</Tag></Index><Index><Tag>a</Tag></Index>", "MalformedXML"],
    ["<Index><UserMetadata>a</UserMetadata></Index><Index><UserMetadata>A</UserMetadata></Index>", "MalformedXML"],
    ["<Index><Tag>a</Tag></Index><Index><Tag>*</Tag></Index>", "MalformedXML"],
    ["<Index><Tag>a?</Tag></Index>", "InvalidTag"],
    ["<Index><Tag/></Index>", "InvalidTag"],
    [`<Index><Tag>${"a".repeat(129)}</Tag></Index>`, "InvalidTag"],
    ["<Index><UserMetadata>a b</UserMetadata></Index>", "MalformedXML"],
    ["<Index><UserMetadata/></Index>", "MalformedXML"],
    ["<Index><Property>Owner</Property></Index>", "MalformedXML"],
    ["<Index><Key>a</Key></Index>", "MalformedXML"],
    ["<Tag>a</Tag>", "MalformedXML"],
    [Array.from({ length: 11 }, (_, index) => `<Index><Tag>t${index}</Tag></Index>`).join(""), "MalformedXML"],
  ])("refuses %s with %s", async (content, code) => {
    const bucket = await freshBucket();
    const body = `<QueryConfiguration>${content}</QueryConfiguration>`;
    const response = await send("PUT", `/${bucket}?queryConfiguration`, { body });
    const text = await response.text();
    expect([response.status, text]).toEqual([400, expect.stringContaining(`<Code>${code}</Code>`)]);
    expect((await send("GET", `/${bucket}?queryConfiguration`)).status).toBe(404);
  });

  it("leaves a large bucket to the job, and queries examine its objects until the job is done", async () => {
    const bucket = await freshBucket();
    await insertObjects(bucket, 25_000);
    await setIndexes(bucket, ["<Tag>rare</Tag>"]);
    expect(await indexesOf(bucket)).toEqual(["rare Building"]);
    const query = { "tag.rare": "yes", prefix: "k/0240" };
    expect(await found(bucket, query)).toEqual(["k/024007"]);
    await expectS3Error(await send("GET", `/${bucket}?query&tag.rare=yes`), { status: 400, code: "QueryTooBroad" });
    // Changes on both sides of what is indexed.
    await send("DELETE", `/${bucket}/k/000007`);
    await send("DELETE", `/${bucket}/k/023007`);
    await send("PUT", `/${bucket}/a`, { body: "1", headers: { "x-amz-tagging": "rare=yes" } });
    await send("PUT", `/${bucket}/z`, { body: "1", headers: { "x-amz-tagging": "rare=yes" } });
    await runPass(buildQueryIndexes, Date.now());
    expect(await indexesOf(bucket)).toEqual(["rare Active"]);
    await expectExactEntries(bucket);
    const keys = await found(bucket, { "tag.rare": "yes" });
    expect([keys.length, keys.at(0), keys.at(1), keys.at(-1)]).toEqual([25, "a", "k/001007", "z"]);
  });
});

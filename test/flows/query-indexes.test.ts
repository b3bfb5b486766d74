// The indexes of queries: their entries follow every change of the current versions, and queries find the same with them.
import { beforeAll, describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import { found, queryPage, queryPages } from "../support/queries.ts";
import { EVERY_KIND, expectExactEntries, insertObjects, setIndexes } from "../support/query-indexes.ts";
import { takeSnapshot } from "../support/snapshots.ts";
import { freshUser } from "../support/users.ts";
import { deleteKey, putVersion, removeVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

const LISTING = { Effect: "Allow", Action: ["s3:QueryBucket", "s3:ListBucket"], Resource: "*" };

async function put(bucket: string, key: string, body: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await send("PUT", `/${bucket}/${key}`, { body, headers });
  expect(response.status).toBe(200);
  return response.headers.get("x-amz-version-id") ?? "";
}

const tagging = (...tags: readonly (readonly [string, string])[]): string =>
  `<Tagging><TagSet>${tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join("")}</TagSet></Tagging>`;

describe("the entries of an indexed bucket are those of its current versions", () => {
  it("after uploads, overwrites, copies, renames, changes of tags, and deletions", async () => {
    const bucket = await freshBucket();
    await setIndexes(bucket, EVERY_KIND);
    await put(bucket, "a", "1", { "x-amz-tagging": "t=1&u=2", "x-amz-meta-m": "x", "content-type": "text/plain" });
    await put(bucket, "a", "22", { "x-amz-tagging": "t=2", "x-amz-meta-n": "y", "x-amz-storage-class": "STANDARD_IA" });
    expect(await found(bucket, { "tag.t": "2" })).toEqual(["a"]);
    expect(await found(bucket, { "tag.t": "1" })).toEqual([]);
    await expectExactEntries(bucket);
    const upload = await createUpload(bucket, "parts", { "x-amz-tagging": "t=3", "x-amz-meta-m": "z" });
    await sendCompletion(bucket, "parts", upload, [await putPart(bucket, "parts", upload, 1, "text")]);
    expect((await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/a` } })).status).toBe(
      200,
    );
    const source = { "x-amz-rename-source": "parts" };
    expect((await send("PUT", `/${bucket}/renamed?renameObject`, { headers: source })).status).toBe(200);
    expect(await found(bucket, { "tag.t": "3" })).toEqual(["renamed"]);
    await expectExactEntries(bucket);
    await send("PUT", `/${bucket}/copy?tagging`, { body: tagging(["t", "9"], ["v", "1"]) });
    await send("DELETE", `/${bucket}/a?tagging`);
    expect([await found(bucket, { "tag.t": "9" }), await found(bucket, { "tag.t": "2" })]).toEqual([["copy"], []]);
    await expectExactEntries(bucket);
    await deleteKey(bucket, "copy");
    const body = "<Delete><Object><Key>a</Key></Object><Object><Key>renamed</Key></Object></Delete>";
    expect((await send("POST", `/${bucket}?delete`, { body })).status).toBe(200);
    await expectExactEntries(bucket);
    expect(await found(bucket, { "tag-prefix.t": "" })).toEqual([]);
  });

  it("after concurrent uploads, which are committed in groups", async () => {
    const bucket = await freshBucket();
    await setIndexes(bucket, EVERY_KIND);
    const keys = Array.from({ length: 30 }, (_, index) => `k${String(index % 20).padStart(2, "0")}`);
    await Promise.all(keys.map((key, index) => put(bucket, key, "x", { "x-amz-tagging": `n=${index % 3}` })));
    await expectExactEntries(bucket);
    expect(await found(bucket, { "tag-prefix.n": "" })).toHaveLength(20);
  });

  it("in every versioning state", async () => {
    const bucket = await versionedBucket();
    await setIndexes(bucket, EVERY_KIND);
    const first = await put(bucket, "k", "1", { "x-amz-tagging": "t=1" });
    const second = await put(bucket, "k", "22", { "x-amz-tagging": "t=2" });
    await expectExactEntries(bucket);
    // Tags of a noncurrent version are not found.
    await send("PUT", `/${bucket}/k?tagging&versionId=${first}`, { body: tagging(["t", "old"]) });
    expect(await found(bucket, { "tag.t": "old" })).toEqual([]);
    await removeVersion(bucket, "k", second);
    expect(await found(bucket, { "tag.t": "old", "max-size": "1" })).toEqual(["k"]);
    await expectExactEntries(bucket);
    const marker = await deleteKey(bucket, "k");
    expect(await found(bucket, { "tag.t": "old" })).toEqual([]);
    await removeVersion(bucket, "k", marker);
    expect(await found(bucket, { "tag.t": "old" })).toEqual(["k"]);
    await setVersioning(bucket, "Suspended");
    await put(bucket, "k", "333", { "x-amz-tagging": "t=null" });
    await put(bucket, "k", "4444", { "x-amz-tagging": "t=null2" });
    expect([await found(bucket, { "tag.t": "null" }), await found(bucket, { "min-size": "4" })]).toEqual([[], ["k"]]);
    await expectExactEntries(bucket);
    await deleteKey(bucket, "k");
    await expectExactEntries(bucket);
  });

  it("after a snapshot is restored", async () => {
    const bucket = await versionedBucket();
    await setIndexes(bucket, ["<Tag>t</Tag>", "<Property>Size</Property>"]);
    await put(bucket, "a", "1", { "x-amz-tagging": "t=1" });
    await put(bucket, "b", "1", { "x-amz-tagging": "t=1" });
    await takeSnapshot(bucket, "s");
    await put(bucket, "a", "22", { "x-amz-tagging": "t=2" });
    await deleteKey(bucket, "b");
    await putVersion(bucket, "c", "333");
    expect((await send("POST", `/${bucket}?restoreSnapshot=s`)).status).toBe(200);
    expect(await found(bucket, { "tag.t": "1" })).toEqual(["a", "b"]);
    expect(await found(bucket, { "min-size": "2" })).toEqual([]);
    await expectExactEntries(bucket);
  });
});

describe("a query of an indexed bucket", () => {
  const QUERIES: readonly Readonly<Record<string, string>>[] = [
    { "tag.team": "red" },
    { "tag.team": "re" },
    { "tag-prefix.team": "re" },
    { "tag-prefix.team": "" },
    { "tag.team": "red", "tag-prefix.stage": "a" },
    { "meta.tenant": "q" },
    { "meta-prefix.Tenant": 'q"' },
    { "meta.tenant": "q", "tag.team": "blue" },
    { "content-type": "text/plain" },
    { "content-type": "text/*" },
    { "content-type": "binary/octet-stream" },
    { "storage-class": "STANDARD_IA" },
    { "min-size": "2" },
    { "max-size": "2" },
    { "min-size": "2", "max-size": "3" },
    { "modified-after": "2001-01-01T00:00:00Z" },
    { "modified-before": "2001-01-01T00:00:00Z" },
    { "tag.team": "red", prefix: "b/" },
    { "min-size": "1", prefix: "b/", suffix: "2" },
    { "min-size": "1", glob: "?/ä*" },
    { "tag.team": "red", include: "tags" },
  ];
  let indexed = "";
  let plain = "";
  beforeAll(async () => {
    [indexed, plain] = [await freshBucket(), await freshBucket()];
    await setIndexes(indexed, EVERY_KIND);
    for (const bucket of [indexed, plain]) {
      await put(bucket, "a/1", "1", {
        "x-amz-tagging": "team=red&stage=alpha",
        "content-type": "Text/Plain ; charset=x",
      });
      await put(bucket, "b/1", "22", { "x-amz-tagging": "team=red", "x-amz-meta-tenant": 'q"1' });
      await put(bucket, "b/2", "333", {
        "x-amz-tagging": "team=re",
        "x-amz-meta-tenant": "q",
        "content-type": "text/csv",
      });
      await put(bucket, "c/%C3%A4", "4444", { "x-amz-tagging": "team=blue", "x-amz-meta-tenant": "q" });
      await put(bucket, "d/plain", "", { "x-amz-storage-class": "STANDARD_IA" });
    }
  });

  it.each(QUERIES)("finds with %j what it finds without an index, on any page", async (parameters) => {
    const expected = await found(plain, parameters);
    expect(await found(indexed, parameters)).toEqual(expected);
    const pages = await queryPages(indexed, { ...parameters, "max-keys": "1" });
    expect(pages.flatMap(({ keys }) => keys)).toEqual(expected);
    expect(pages).toHaveLength(Math.max(expected.length, 1));
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["s3:GetObjectTagging", { "tag.team": "red" }],
    ["s3:GetObjectTagging", { "tag-prefix.team": "r" }],
    ["s3:GetObject", { "meta-prefix.tenant": "q" }],
  ])("finds only the keys on which the caller has %s", async (action, parameters) => {
    const mine = { Effect: "Allow", Action: action, Resource: `arn:aws:s3:::${indexed}/b/1` };
    const { credentials } = await freshUser(LISTING, mine);
    for (const bucket of [indexed, plain]) {
      const keys = await found(bucket, parameters, { credentials });
      expect(keys).toEqual(bucket === indexed ? ["b/1"] : []);
    }
  });
});

describe("a query of an indexed bucket with 25,000 objects", () => {
  let bucket = "";
  beforeAll(async () => {
    bucket = await freshBucket();
    await setIndexes(bucket, ["<Tag>*</Tag>", "<Property>Size</Property>", "<Property>LastModified</Property>"]);
    await insertObjects(bucket, 25_000);
  });

  it.each<[Readonly<Record<string, string>>, number]>([
    [{ "tag.rare": "yes" }, 25],
    [{ "tag-prefix.rare": "y" }, 25],
    [{ "tag.team": "red", "tag.rare": "yes", "min-size": "20000" }, 5],
    [{ "min-size": "24990" }, 10],
    [{ "min-size": "100", "max-size": "109" }, 10],
    [{ "modified-after": "1970-01-01T06:56:00Z" }, 40],
    [{ "tag.rare": "yes", prefix: "k/02" }, 5],
  ])("reads few rows for %j", async (parameters, count) => {
    const { keys, nextToken, cost } = await queryPage(bucket, parameters);
    expect([keys.length, nextToken]).toEqual([count, undefined]);
    expect(keys.toSorted()).toEqual(keys);
    expect(cost).toMatchObject({ roundTrips: 3, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(cost.rowsRead).toBeLessThanOrEqual(3000);
  });

  it("reads at most 10,000 rows for a page of a common value, and continues in the order of keys", async () => {
    const pages = await queryPages(bucket, { "tag.team": "red", suffix: "99", "min-size": "1" });
    expect(pages.flatMap(({ keys }) => keys)).toHaveLength(250);
    for (const { cost } of pages) expect(cost.rowsRead).toBeLessThanOrEqual(10_000);
  });

  it("is refused if its range has too many entries, with what to narrow, and may examine all objects", async () => {
    const response = await send("GET", `/${bucket}?query&min-size=10&suffix=24999`);
    const text = await response.text();
    expect([response.status, text]).toEqual([400, expect.stringContaining("<Code>QueryTooBroad</Code>")]);
    expect(text).toContain("prefix or glob");
    expect(await found(bucket, { "min-size": "10", suffix: "24999", scan: "true" })).toEqual(["k/024999"]);
  });

  it("names in its refusal what the bucket does not index", async () => {
    await putAll(bucket, { other: "1" });
    const text = await (await send("GET", `/${bucket}?query&meta.sha=1&content-type=text/plain`)).text();
    expect(text).toContain("index the user metadata sha or ContentType with PutBucketQueryConfiguration");
  });
});

// The indexes of queries of buckets in different databases.
import { describe, expect, it } from "vitest";

import { buildQueryIndexes } from "../../src/jobs/build-query-indexes.ts";
import { send } from "../support/client.ts";
import { BINDINGS, bucketIn } from "../support/databases.ts";
import { runPass } from "../support/jobs.ts";
import { found } from "../support/queries.ts";
import { EVERY_KIND, expectExactEntries, indexesOf, insertObjects, setIndexes } from "../support/query-indexes.ts";

describe("an index of a bucket in a further database", () => {
  it("is kept, built and purged there", async () => {
    const d1 = BINDINGS.find(({ name }) => name === "META_2")?.d1;
    if (d1 === undefined) throw new Error("one database");
    const bucket = await bucketIn("META_2");
    await insertObjects(bucket, 22_000, d1);
    await setIndexes(bucket, ["<Tag>rare</Tag>"]);
    expect(await indexesOf(bucket)).toEqual(["rare Building"]);
    await send("PUT", `/${bucket}/a`, { body: "1", headers: { "x-amz-tagging": "rare=yes" } });
    const { report } = await runPass(buildQueryIndexes, Date.now());
    expect(report["ranges"]).toBeGreaterThan(0);
    expect(await indexesOf(bucket)).toEqual(["rare Active"]);
    expect(await found(bucket, { "tag.rare": "yes" })).toHaveLength(23);
    await expectExactEntries(bucket, d1);
    await send("DELETE", `/${bucket}?queryConfiguration`);
    await runPass(buildQueryIndexes, Date.now());
    expect(await d1.prepare("SELECT count(*) AS n FROM query_entries").first("n")).toBe(0);
  });

  it("follows copies from other databases", async () => {
    const [source, target] = [await bucketIn("META_1"), await bucketIn("META_2")];
    await setIndexes(target, EVERY_KIND);
    await send("PUT", `/${source}/k`, { body: "1", headers: { "x-amz-tagging": "t=1" } });
    const headers = { "x-amz-copy-source": `/${source}/k` };
    expect((await send("PUT", `/${target}/c`, { headers })).status).toBe(200);
    expect(await found(target, { "tag.t": "1" })).toEqual(["c"]);
  });
});

// What one statement finds for a copy or a rename within a bucket: the same as the lookups of each fact.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { lookUpHeads, type KeyHead } from "../../src/state/commit/heads.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database, statement } from "../../src/state/d1/database.ts";
import { lookUpVersion } from "../../src/state/metadata/objects.ts";
import { lookUpTransfer } from "../../src/state/reads/transfer-lookup.ts";
import { annotate } from "../support/annotations.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";

async function bucketOf(keys: Readonly<Record<string, string>>, isVersioned = false): Promise<string> {
  const bucket = await freshBucket();
  if (isVersioned) {
    const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    expect((await send("PUT", `/${bucket}?versioning`, { body })).status).toBe(200);
  }
  await putAll(bucket, keys);
  return bucket;
}

describe("the lookup of a copy or a rename", () => {
  it.each(["missing", "current", "deleted"])("finds a head: %s", async (state) => {
    const bucket = await bucketOf({ from: "text", ...(state === "missing" ? {} : { to: "old" }) }, state === "deleted");
    if (state === "deleted") await send("DELETE", `/${bucket}/to`);
    const { database, counts } = counted();
    const lookup = lookUpTransfer(bucket, ["from"], "to");
    expect(lookup.statements).toHaveLength(1);
    const found = await database.look(lookup);
    expect(counts.snapshot().d1RowsRead).toBeLessThan(20);
    const expected = await database.look(lookUpHeads(bucket, ["to"]));
    expect(found.heads).toEqual(expected.heads);
    expect(isPresent(found.heads.get("to"))).toBe(state !== "missing");
    expect(found.bucket).toEqual(expected.bucket);
    expect(found.object).toEqual((await database.look(lookUpVersion(bucket, "from", undefined))).object);
    expect(found.object?.key).toBe("from");
  });

  it("finds the first candidate that exists, and none where none does", async () => {
    const bucket = await bucketOf({ second: "2", third: "3" });
    const { database } = counted();
    const sourceOf = async (...candidates: string[]): Promise<string | undefined> =>
      (await database.look(lookUpTransfer(bucket, candidates, "to"))).object?.key;
    expect(await sourceOf("first", "second", "third")).toBe("second");
    expect(await sourceOf("third", "second")).toBe("third");
    expect(await sourceOf("first", "fourth")).toBeUndefined();
    expect(await sourceOf("first")).toBeUndefined();
  });

  it("finds whether the source has annotations, and a further column", async () => {
    const bucket = await bucketOf({ plain: "1", noted: "2" });
    await annotate(`${bucket}/noted`, "note", "text");
    const { database } = counted();
    const further = { sql: "b.name || ?4", parameter: "!" };
    const noted = await database.look(lookUpTransfer(bucket, ["plainer", "noted"], "to", further));
    expect([noted.isAnnotated, noted.further]).toEqual([true, `${bucket}!`]);
    const plain = await database.look(lookUpTransfer(bucket, ["plain"], "to"));
    expect([plain.isAnnotated, plain.further]).toEqual([false, null]);
  });

  it("finds nothing without the bucket", async () => {
    const found = await counted().database.look(lookUpTransfer("no-such-bucket", ["from"], "to"));
    expect(found.bucket).toBeUndefined();
    expect(found.object).toBeUndefined();
    expect(found.heads.size).toBe(0);
  });
});

describe("a reference that a condition has made null", () => {
  it("is refused by the database with the text that a commit recognises", async () => {
    const insert = statement(
      "INSERT INTO shared_blobs (blob_id, holders) SELECT NULL, 2 WHERE true ON CONFLICT DO NOTHING",
    );
    await expect(counted().database.batch([insert])).rejects.toThrow(
      "NOT NULL constraint failed: shared_blobs.blob_id",
    );
  });
});

function isPresent(head: KeyHead | undefined): boolean {
  return head !== undefined && head.versionId !== null;
}

/** A database whose costs are counted from now on. */
function counted(): { readonly database: Database; readonly counts: Counts } {
  const counts = new Counts();
  return { database: new Database(env.DB, counts), counts };
}

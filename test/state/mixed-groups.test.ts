// Groups of puts, copies, renames, deletions and purges: they leave what the changes leave one after the other, and each
// outcome is that of the change itself.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { GroupMember } from "../../src/state/commit/group-commit.ts";
import type { Database } from "../../src/state/d1/database.ts";
import type { Bucket } from "../../src/state/metadata/buckets.ts";
import { insertedBucket } from "../support/bucket-rows.ts";
import { connectionLost } from "../support/faults.ts";
import { Changes, commitInTurn, commitTogether, lineWith } from "../support/group-members.ts";

const VERSIONINGS = [null, "Enabled", "Suspended"] as const;
const PRESENT = ["a", "b", "c", "d", "e", "f", "g"];

/** A bucket with objects. */
async function filled(versioning: Bucket["versioning"] = null): Promise<Bucket> {
  const bucket = await insertedBucket(versioning);
  const changes = new Changes(bucket);
  await commitInTurn(await Promise.all(PRESENT.map(async (key) => changes.put(key))));
  return bucket;
}

/** Changes of all kinds whose keys are apart. */
async function mixture(bucket: Bucket, line?: Database): Promise<GroupMember[]> {
  const changes = new Changes(bucket, line);
  const isRenaming = bucket.versioning === null;
  return Promise.all([
    changes.put("a"),
    changes.put("new"),
    changes.copy("b", "copy of b"),
    changes.copy("b", "another copy of b"),
    changes.copy("b", "c"),
    isRenaming ? changes.rename("d", "renamed d", "token") : changes.delete("d"),
    isRenaming ? changes.rename("e", "renamed e") : changes.put("e"),
    changes.delete("f", "missing"),
    changes.purge("g"),
  ]);
}

/** The rows of a bucket without what differs between two buckets. */
async function contentOf({ id }: Bucket): Promise<Record<string, unknown>> {
  const read = async (sql: string): Promise<unknown> => {
    const { results } = await env.DB.prepare(sql).bind(id).all();
    return JSON.parse(JSON.stringify(results).replaceAll(id, "bucket")) as unknown;
  };
  const versions = "key, is_null_version, size, etag, blob_id, tags, user_metadata, storage_class";
  const apart = "bucket_id = ?1 AND key NOT LIKE 'first-%'";
  return {
    objects: await read(`SELECT ${versions} FROM objects WHERE ${apart} ORDER BY key`),
    versions: await read(
      `SELECT ${versions}, is_delete_marker, owner_id FROM versions WHERE ${apart} ORDER BY key, version_id`,
    ),
    shared: await read("SELECT blob_id, holders FROM shared_blobs WHERE blob_id LIKE ?1 || '/%' ORDER BY 1"),
    garbage: await read("SELECT blob_id FROM garbage WHERE blob_id LIKE ?1 || '/%' ORDER BY 1"),
    tokens: await read("SELECT token, fingerprint, created_at FROM rename_tokens WHERE bucket_id = ?1"),
  };
}

async function keysOf({ id }: Bucket): Promise<unknown[]> {
  const select = env.DB.prepare("SELECT key FROM objects WHERE bucket_id = ? AND key NOT LIKE 'first-%' ORDER BY key");
  return (await select.bind(id).all<{ key: string }>()).results.map(({ key }) => key);
}

const isCommit = (sql: readonly string[]): boolean => sql.some((text) => text.includes("commit_guard"));

describe("a group of all kinds of changes", () => {
  it.each(VERSIONINGS)("leaves what they leave one after the other (versioning %s)", async (versioning) => {
    const [together, inTurn] = [await filled(versioning), await filled(versioning)];
    const { line, batches } = lineWith(async (_, send) => send());
    const members = await mixture(together, line);
    expect(await commitTogether(together, members)).toEqual(members.map(() => "applied"));
    expect(batches).toHaveLength(1);
    expect(await commitInTurn(await mixture(inTurn))).toEqual(members.map(() => "applied"));
    expect(await contentOf(together)).toEqual(await contentOf(inTurn));
  });

  it("takes as many statements for many renames, copies or deletions as for one", async () => {
    for (const kind of ["rename", "copy", "delete"] as const) {
      const lengths: number[] = [];
      for (const count of [2, 20]) {
        const bucket = await insertedBucket();
        const { line, batches } = lineWith(async (_, send) => send());
        const changes = new Changes(bucket, line);
        const keys = Array.from({ length: count }, (_, index) => `k${index}`);
        await commitInTurn(await Promise.all(keys.map(async (key) => new Changes(bucket).put(key))));
        const members = await Promise.all(
          keys.map(async (key) => (kind === "delete" ? changes.delete(key) : changes[kind](key, `of ${key}`))),
        );
        expect(new Set(await commitTogether(bucket, members))).toEqual(new Set(["applied"]));
        expect(await keysOf(bucket)).toHaveLength({ rename: count, copy: 2 * count, delete: 0 }[kind]);
        lengths.push(...batches.map((sql) => sql.length));
      }
      expect(lengths[1], kind).toBe(lengths[0]);
      expect(lengths, kind).toHaveLength(2);
    }
  });

  it("counts a reference for each of many copies of one object", async () => {
    const bucket = await filled();
    const changes = new Changes(bucket);
    const copies = await Promise.all(["1", "2", "3"].map(async (to) => changes.copy("a", to)));
    expect(await commitTogether(bucket, copies)).toEqual(["applied", "applied", "applied"]);
    expect((await contentOf(bucket))["shared"]).toEqual([{ blob_id: "bucket/blob-1-a", holders: 4 }]);
    const deletions = await Promise.all(["1", "2", "a"].map(async (key) => changes.delete(key)));
    expect(await commitTogether(bucket, deletions)).toEqual(["applied", "applied", "applied"]);
    const left = { shared: [{ blob_id: "bucket/blob-1-a", holders: 1 }], garbage: [] };
    expect(await contentOf(bucket)).toMatchObject(left);
    await commitInTurn([await changes.delete("3")]);
    expect(await contentOf(bucket)).toMatchObject({ shared: [], garbage: [{ blob_id: "bucket/blob-1-a" }] });
  });
});

describe("changes whose keys touch", () => {
  it.each(["copy", "rename"] as const)("are in different batches: a %s there and back swaps nothing", async (kind) => {
    const bucket = await filled();
    const changes = new Changes(bucket);
    const members = [await changes[kind]("a", "b"), await changes[kind]("b", "a")];
    const outcomes = await commitTogether(bucket, members);
    expect(outcomes[0]).toBe("applied");
    expect(["source changed", "head changed"]).toContain(outcomes[1]);
  });

  it.each([
    ["a put over the source of a copy", "copy", "put"],
    ["a deletion of the source of a copy", "copy", "delete"],
    ["a purge of the source of a rename", "rename", "purge"],
  ] as const)("%s waits, and the other way round", async (_, reader, writer) => {
    for (const isWriterFirst of [false, true]) {
      const bucket = await filled();
      const { line, batches } = lineWith(async (_sql, send) => send());
      const changes = new Changes(bucket, line);
      const [read, write] = [await changes[reader]("a", "x"), await changes[writer]("a")];
      const touching = isWriterFirst ? [write, read] : [read, write];
      const outcomes = await commitTogether(bucket, [...touching, await changes.put("y")]);
      expect(outcomes[0]).toBe("applied");
      expect(outcomes[2]).toBe("applied");
      // The third change does not wait for the second.
      expect(batches.filter(isCommit)).toHaveLength(2);
      const reads = isWriterFirst || reader === "rename" ? ["source changed", "head changed"] : ["applied"];
      expect(reads).toContain(outcomes[1]);
    }
  });

  it("copies of one object by many share a batch", async () => {
    const bucket = await filled();
    const { line, batches } = lineWith(async (_, send) => send());
    const changes = new Changes(bucket, line);
    const members = await Promise.all(["1", "2", "3"].map(async (to) => changes.copy("a", to)));
    expect(await commitTogether(bucket, members)).toEqual(["applied", "applied", "applied"]);
    expect(batches).toHaveLength(1);
  });
});

describe("a mixed group that a guard refuses", () => {
  it("refuses only the copy, rename or deletion whose own guard does", async () => {
    const bucket = await filled();
    const changes = new Changes(bucket);
    const members = await mixture(bucket);
    // Meanwhile others replace the source of the copies and delete that of a rename; a purge loses its key's head.
    await commitInTurn([await changes.put("b"), await changes.delete("d"), await changes.put("g")]);
    expect(await commitTogether(bucket, members)).toEqual([
      "applied",
      "applied",
      "source changed",
      "source changed",
      "source changed",
      "head changed",
      "applied",
      "applied",
      "head changed",
    ]);
    expect(await keysOf(bucket)).toEqual(["a", "b", "c", "g", "new", "renamed e"]);
  });

  it("uses a token of two renames once", async () => {
    const bucket = await filled();
    const changes = new Changes(bucket);
    const members = [
      await changes.rename("a", "x", "t"),
      await changes.rename("b", "y", "t"),
      await changes.delete("c"),
    ];
    const outcomes = await commitTogether(bucket, members);
    expect(outcomes.slice(0, 2).toSorted()).toEqual(["applied", "token used"]);
    expect(outcomes[2]).toBe("applied");
    expect((await contentOf(bucket))["tokens"]).toHaveLength(1);
  });

  it("keeps a locked version alone", async () => {
    const bucket = await filled("Enabled");
    await env.DB.prepare("UPDATE objects SET legal_hold = 'ON' WHERE bucket_id = ? AND key = 'a'")
      .bind(bucket.id)
      .run();
    const changes = new Changes(bucket);
    const members = [await changes.purge("a"), await changes.purge("b"), await changes.delete("c")];
    expect(await commitTogether(bucket, members)).toEqual(["version locked", "applied", "applied"]);
    expect(await keysOf(bucket)).toEqual(["a", "d", "e", "f", "g"]);
  });

  it("refuses only the put for which a quota has no room", async () => {
    const bucket = await filled();
    // There is room for one more object, which another commit takes first.
    const quota = JSON.stringify({ maxObjects: PRESENT.length + 1 });
    await env.DB.prepare("UPDATE buckets SET quota = ? WHERE id = ?").bind(quota, bucket.id).run();
    const counted = "UPDATE bucket_quotas SET counted_to = NULL, objects = ?, bytes = 49 WHERE bucket_id = ?";
    await env.DB.prepare(counted).bind(PRESENT.length, bucket.id).run();
    const full = { ...bucket, configurations: { ...bucket.configurations, quota } };
    const changes = new Changes(full);
    const members = [await changes.rename("a", "x"), await changes.put("y"), await changes.put("b")];
    expect(await commitTogether(full, members)).toEqual(["applied", "quota exceeded", "applied"]);
    const counts = env.DB.prepare("SELECT objects, bytes, is_moving FROM bucket_quotas WHERE bucket_id = ?");
    expect(await counts.bind(bucket.id).first()).toEqual({ objects: 8, bytes: 56, is_moving: 0 });
  });
});

describe.each(["before", "after"] as const)("a mixed group whose answer is lost %s it is applied", (when) => {
  it.each([1, 3])("%i times is committed once", async (times) => {
    const [lost, inTurn] = [await filled(), await filled()];
    let left = times;
    const { line } = lineWith(async (sql, send) => {
      if (!isCommit(sql) || left === 0) return send();
      left -= 1;
      if (when === "after") await send();
      throw connectionLost();
    });
    const members = await mixture(lost, line);
    expect(await commitTogether(lost, members)).toEqual(members.map(() => "applied"));
    await commitInTurn(await mixture(inTurn));
    expect(await contentOf(lost)).toEqual(await contentOf(inTurn));
  });

  it("of deletions alone is committed once", async () => {
    const bucket = await filled();
    let left = 2;
    const { line } = lineWith(async (sql, send) => {
      if (!isCommit(sql) || left === 0) return send();
      left -= 1;
      if (when === "after") await send();
      throw connectionLost();
    });
    const changes = new Changes(bucket, line);
    const members = [await changes.delete("a"), await changes.purge("b"), await changes.delete("c", "d")];
    expect(await commitTogether(bucket, members)).toEqual(["applied", "applied", "applied"]);
    expect(await keysOf(bucket)).toEqual(["e", "f", "g"]);
  });

  it("and that is never answered again is open or read back for each", async () => {
    const bucket = await filled();
    let isFirst = true;
    const { line } = lineWith(async (sql, send) => {
      if (!isCommit(sql)) return when === "after" && !isFirst ? send() : Promise.reject(connectionLost());
      if (when === "after" && isFirst) await send();
      isFirst = false;
      throw connectionLost();
    });
    const members = await mixture(bucket, line);
    const outcome = when === "after" ? "applied" : "unknown";
    expect(await commitTogether(bucket, members)).toEqual(members.map(() => outcome));
    if (when === "before") expect(await keysOf(bucket)).toEqual(PRESENT);
  });
});

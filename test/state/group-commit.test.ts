// Commits of several versions in one batch: each outcome is that of the version itself.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { nextVersionId, timeOfVersion } from "../../src/protocol/core/version-id.ts";
import type { StoredObject } from "../../src/protocol/objects/stored-object.ts";
import { GroupCommits, type GroupMember } from "../../src/state/commit/group-commit.ts";
import { currentHeads } from "../../src/state/commit/heads.ts";
import { moveCurrentToVersions } from "../../src/state/commit/version-moves.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import type { Bucket } from "../../src/state/metadata/buckets.ts";
import { upsertObject } from "../../src/state/metadata/objects.ts";
import { connectionLost, d1With, type BatchFault } from "../support/faults.ts";
import { database, FACTS } from "../support/group-members.ts";
import { insertedBucket } from "../support/bucket-rows.ts";

const VERSIONINGS = [null, "Enabled", "Suspended"] as const;

/** A put of an object. */
interface Put extends GroupMember {
  readonly object: StoredObject;
}

function memberOf(bucket: Bucket, key: string, expectedHead: string | null, line = database): Put {
  const versionId = nextVersionId(Date.now(), expectedHead ?? undefined);
  const object: StoredObject = {
    key,
    versionId,
    isNullVersion: bucket.versioning !== "Enabled",
    ...FACTS,
    etag: `etag of ${key}`,
    modifiedAt: 5,
    blobId: `${bucket.id}/${versionId}`,
    checksum: { algorithm: "CRC32", type: "FULL_OBJECT", value: "AAAAAA==" },
  };
  return {
    database: line,
    bucket,
    object,
    expectedHeads: new Map([[key, expectedHead]]),
    readKeys: [],
    created: [{ key, versionId }],
    blobIds: [`${bucket.id}/${versionId}`],
    writtenAt: timeOfVersion(versionId),
    statements: [
      ...(expectedHead === null ? [] : moveCurrentToVersions(bucket, JSON.stringify([key]), 1)),
      upsertObject(bucket.id, object),
    ],
    isApplied: async () => (await headOf(bucket, key)) === versionId,
  };
}

async function headOf(bucket: Bucket, key: string): Promise<string | null | undefined> {
  return (await database.look(currentHeads(bucket.id, [key]))).get(key)?.versionId;
}

/** Commits members while another commit is in flight, so that they form a group. */
async function commitTogether(bucket: Bucket, members: readonly GroupMember[]): Promise<string[]> {
  const groups = new GroupCommits();
  const first = groups.commit(memberOf(bucket, `first-${crypto.randomUUID()}`, null));
  const outcomes = members.map(async (member) => groups.commit(member).catch(String));
  expect(await first).toBe("applied");
  return Promise.all(outcomes);
}

/** A database whose commits of groups fail, and the sizes of all its batches. */
function lineWith(fault: BatchFault): { line: Database; batches: number[] } {
  const batches: number[] = [];
  const d1 = d1With(async (sql, ...rest) => {
    batches.push(sql.length);
    return fault(sql, ...rest);
  });
  return { line: new Database(d1, new Counts()), batches };
}

const isGroup = (sql: readonly string[]): boolean => sql.some((text) => text.includes("value ->> 16"));
const isCommit = (sql: readonly string[]): boolean => sql.some((text) => text.includes("commit_guard"));
const KEYS = ["a", "b", "c", "d"];

async function rowsOfTable(bucket: Bucket, table: string): Promise<Record<string, unknown>[]> {
  const select = env.DB.prepare(
    `SELECT * FROM ${table} WHERE bucket_id = ? AND key NOT LIKE 'first-%' ORDER BY key, version_id`,
  );
  return (await select.bind(bucket.id).all()).results;
}

describe("a group of commits", () => {
  it.each(VERSIONINGS)("leaves what the commits leave one by one (versioning %s)", async (versioning) => {
    const [together, alone] = [await insertedBucket(versioning), await insertedBucket(versioning)];
    for (const turn of [0, 1]) {
      // The second turn replaces half of the keys and adds others.
      const keys = turn === 0 ? KEYS : ["b", "d", "e"];
      const members = await Promise.all(
        keys.map(async (key) => memberOf(together, key, (await headOf(together, key)) ?? null)),
      );
      const { line, batches } = lineWith(async (_, send) => send());
      const outcomes = await commitTogether(
        together,
        members.map((member) => ({ ...member, database: line })),
      );
      expect(outcomes).toEqual(keys.map(() => "applied"));
      expect(batches).toHaveLength(1);
      for (const member of members) {
        const twin = { ...memberOf(alone, member.object.key, (await headOf(alone, member.object.key)) ?? null) };
        expect(await new GroupCommits().commit(twin)).toBe("applied");
      }
    }
    const comparable = async (bucket: Bucket, table: string) =>
      (await rowsOfTable(bucket, table)).map((row) =>
        Object.assign(row, { bucket_id: "", version_id: "", blob_id: "" }),
      );
    for (const table of ["objects", "versions"]) {
      expect(await comparable(together, table)).toEqual(await comparable(alone, table));
    }
    const garbage = async (bucket: Bucket) =>
      (await env.DB.prepare("SELECT blob_id FROM garbage WHERE blob_id LIKE ?").bind(`${bucket.id}/%`).all()).results
        .length;
    expect(await garbage(together)).toBe(versioning === "Enabled" ? 0 : 2);
    expect(await garbage(alone)).toBe(versioning === "Enabled" ? 0 : 2);
  });

  it("takes no more than 50 members", async () => {
    const bucket = await insertedBucket();
    const { line, batches } = lineWith(async (_, send) => send());
    const members = Array.from({ length: 120 }, (_, index) => memberOf(bucket, `k${index}`, null, line));
    expect(new Set(await commitTogether(bucket, members))).toEqual(new Set(["applied"]));
    expect(batches).toHaveLength(3);
    expect(await rowsOfTable(bucket, "objects")).toHaveLength(120);
  });
});

describe("a group that a guard refuses", () => {
  it("refuses only the members whose own guard does", async () => {
    const bucket = await insertedBucket();
    await new GroupCommits().commit(memberOf(bucket, "b", null));
    const members = KEYS.map((key) => memberOf(bucket, key, null));
    await env.DB.prepare("INSERT INTO scan_tombstones VALUES (?, 0)").bind(members[2]?.blobIds[0]).run();
    await env.DB.prepare("INSERT INTO garbage VALUES (?, 0)").bind(members[3]?.blobIds[0]).run();
    expect(await commitTogether(bucket, members)).toEqual([
      "applied",
      "head changed",
      "blob has tombstone",
      "head changed",
    ]);
    expect((await rowsOfTable(bucket, "objects")).map(({ key }) => key)).toEqual(["a", "b"]);
  });

  it("refuses all members when the bucket changed", async () => {
    const bucket = await insertedBucket();
    const members = KEYS.map((key) => memberOf({ ...bucket, versioning: "Enabled" }, key, null));
    expect(await commitTogether(bucket, members)).toEqual(KEYS.map(() => "bucket changed"));
    expect(await rowsOfTable(bucket, "objects")).toEqual([]);
  });

  it("rejects each member when the schema does not match", async () => {
    const bucket = await insertedBucket();
    const { line } = lineWith(async () => Promise.reject(new Error("D1_ERROR: no such table: objects")));
    const outcomes = await commitTogether(
      bucket,
      KEYS.map((key) => memberOf(bucket, key, null, line)),
    );
    for (const outcome of outcomes) expect(outcome).toContain("no such table");
  });
});

describe("a group whose answer is lost", () => {
  it.each([
    ["before", 1],
    ["before", 3],
    ["after", 1],
    ["after", 3],
  ] as const)("%s it is applied, %i times, is committed once", async (when, times) => {
    const bucket = await insertedBucket();
    let left: number = times;
    const { line } = lineWith(async (sql, send) => {
      if (!isGroup(sql) || left === 0) return send();
      left -= 1;
      if (when === "after") await send();
      throw connectionLost();
    });
    const members = KEYS.map((key) => memberOf(bucket, key, null, line));
    expect(await commitTogether(bucket, members)).toEqual(KEYS.map(() => "applied"));
    expect((await rowsOfTable(bucket, "objects")).map((row) => row["version_id"])).toEqual(
      members.map(({ object }) => object.versionId),
    );
  });

  it("is unknown for each member while D1 is unreachable", async () => {
    const bucket = await insertedBucket();
    const { line } = lineWith(async () => Promise.reject(connectionLost()));
    const outcomes = await commitTogether(
      bucket,
      KEYS.map((key) => memberOf(bucket, key, null, line)),
    );
    expect(outcomes).toEqual(KEYS.map(() => "unknown"));
    expect(await rowsOfTable(bucket, "objects")).toEqual([]);
  });

  it("acknowledges no member for another one that a second coordinator committed alone", async () => {
    const bucket = await insertedBucket();
    const { line } = lineWith(async (sql, send) => {
      if (isCommit(sql)) throw connectionLost();
      return send();
    });
    const members = KEYS.map((key) => memberOf(bucket, key, null, line));
    const [repeated] = members;
    if (repeated === undefined) throw new Error("no member");
    // The same blob under another version id.
    const again = memberOf(bucket, "a", null);
    const object = { ...again.object, blobId: repeated.object.blobId };
    await database.batch([upsertObject(bucket.id, object)]);
    const isApplied = async () => (await rowsOfTable(bucket, "objects"))[0]?.["blob_id"] === repeated.object.blobId;
    const outcomes = await commitTogether(bucket, [{ ...repeated, isApplied }, ...members.slice(1)]);
    expect(outcomes).toEqual(["applied", "unknown", "unknown", "unknown"]);
  });

  it("is read back for each member when its repetition is refused", async () => {
    const bucket = await insertedBucket();
    let isFirst = true;
    const { line } = lineWith(async (sql, send) => {
      if (isCommit(sql) && isFirst) {
        isFirst = false;
        await send();
        throw connectionLost();
      }
      // The group's versions cannot be read back, so that the batch is sent again.
      if (!isCommit(sql)) throw connectionLost();
      return send();
    });
    const members = KEYS.map((key) => memberOf(bucket, key, null, line));
    expect(await commitTogether(bucket, members)).toEqual(KEYS.map(() => "applied"));
    expect(await rowsOfTable(bucket, "objects")).toHaveLength(KEYS.length);
  });
});

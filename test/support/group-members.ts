// Changes of all kinds as members of a group of commits, planned as a coordinator plans them.
import { env } from "cloudflare:workers";
import { expect } from "vitest";

import type { StoredObject } from "../../src/protocol/objects/stored-object.ts";
import { GroupCommits, type GroupMember } from "../../src/state/commit/group-commit.ts";
import { currentHeads, NO_HEAD } from "../../src/state/commit/heads.ts";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import type { Bucket } from "../../src/state/metadata/buckets.ts";
import { shareSource, referenceOf } from "../../src/state/reads/copy-sources.ts";
import type { PutChange } from "../../src/state/writes/changes.ts";
import { planDelete, planPurge, planPut, type Planner } from "../../src/state/writes/commit-plans.ts";
import { moveStatements } from "../../src/state/writes/renames.ts";
import { d1With, type BatchFault } from "./faults.ts";

/** The database without faults. */
export const database = new Database(env.DB, new Counts());

/** What a stored object is made of, with texts that SQL and JSON must keep. */
export const FACTS = {
  size: 7,
  ownerId: "o",
  manifestId: undefined,
  tags: [{ key: "a", value: "ü'\"" }],
  acl: undefined,
  encryption: undefined,
  retention: undefined,
  legalHold: undefined,
  contentType: "text/plain",
  systemMetadata: { "cache-control": "x" },
  userMetadata: { meta: "\u{1F600} \\ \n" },
  storageClass: "STANDARD",
  checksum: undefined,
} as const;

/** Plans changes of one bucket. */
export class Changes {
  readonly bucket: Bucket;
  readonly #line: Database;
  #blobs = 0;

  constructor(bucket: Bucket, line = database) {
    this.bucket = bucket;
    this.#line = line;
  }

  /** A new object with a blob of its own. */
  async put(key: string, change: Partial<PutChange> = {}): Promise<GroupMember> {
    this.#blobs += 1;
    const blobId = `${this.bucket.id}/blob-${this.#blobs}-${key}`;
    const object = { ...FACTS, etag: `etag of ${key}`, blobId };
    return this.#planned([key], planPut({ ...keyed(key), object, newBlobIds: [blobId], readKeys: [], ...change }));
  }

  async copy(from: string, to: string): Promise<GroupMember> {
    const source = await this.#objectOf(from);
    const reference = { bucketId: this.bucket.id, key: from, versionId: source.versionId };
    const before = [shareSource({ ...reference, referenceId: referenceOf(source) })];
    return this.put(to, { object: source, newBlobIds: [], before, readKeys: [from] });
  }

  async rename(from: string, to: string, token?: string): Promise<GroupMember> {
    const source = await this.#objectOf(from);
    const moved = moveStatements(
      this.bucket,
      { source, isAnnotated: false, key: to },
      token,
      `rename ${from} ${to}`,
      3,
    );
    const expectedHeads = new Map([[from, source.versionId]]);
    return this.put(to, { object: source, newBlobIds: [], expectedHeads, readKeys: [], ...moved });
  }

  async delete(...keys: readonly string[]): Promise<GroupMember> {
    const changes = keys.map((key) => Object.assign(keyed(key), { ownerId: "o" }));
    return this.#planned(keys, planDelete(changes));
  }

  /** Purges the current version of a key. */
  async purge(key: string): Promise<GroupMember> {
    const { versionId } = await this.#objectOf(key);
    return this.#planned([key], planPurge([{ ...keyed(key), versionId }]));
  }

  async #planned(keys: readonly string[], planner: Planner): Promise<GroupMember> {
    const heads = await database.look(currentHeads(this.bucket.id, keys));
    const plan = planner(this.bucket, heads, Date.now(), new Set());
    const expectedHeads = new Map(plan.expectedHeads);
    for (const key of keys) expectedHeads.set(key, heads.get(key)?.versionId ?? null);
    const { readKeys = [], created, blobIds, writtenAt, statements } = plan;
    const of = { database: this.#line, bucket: this.bucket, expectedHeads, readKeys, created };
    return { ...of, blobIds, writtenAt, statements, isApplied: async () => plan.isApplied(this.#line) };
  }

  async #objectOf(key: string): Promise<StoredObject> {
    const select = env.DB.prepare(
      "SELECT version_id, blob_id, modified_at FROM objects WHERE bucket_id = ? AND key = ?",
    );
    const row = await select
      .bind(this.bucket.id, key)
      .first<{ version_id: string; blob_id: string; modified_at: number }>();
    if (row === null) throw new Error(`no object ${key}`);
    const of = { key, versionId: row.version_id, isNullVersion: this.bucket.versioning !== "Enabled" };
    return { ...FACTS, ...of, etag: `etag of ${key}`, blobId: row.blob_id, modifiedAt: row.modified_at };
  }
}

function keyed(key: string): Pick<PutChange, "key" | "observedHead" | "conditions"> {
  return { key, observedHead: NO_HEAD, conditions: {} };
}

/** Commits members while another commit is in flight, so that they form groups. */
export async function commitTogether(bucket: Bucket, members: readonly GroupMember[]): Promise<string[]> {
  const groups = new GroupCommits();
  const first = groups.commit(await new Changes(bucket).put(`first-${crypto.randomUUID()}`));
  const outcomes = members.map(async (member) => groups.commit(member).catch(String));
  expect(await first).toBe("applied");
  return Promise.all(outcomes);
}

/** Commits members one after the other. */
export async function commitInTurn(members: readonly GroupMember[]): Promise<string[]> {
  const outcomes: string[] = [];
  for (const member of members) outcomes.push(await new GroupCommits().commit(member));
  return outcomes;
}

/** A connection that may fail, and the statements of all its batches. */
export function lineWith(fault: BatchFault): { line: Database; batches: (readonly string[])[] } {
  const batches: (readonly string[])[] = [];
  const d1 = d1With(async (sql, ...rest) => {
    batches.push(sql);
    return fault(sql, ...rest);
  });
  return { line: new Database(d1, new Counts()), batches };
}

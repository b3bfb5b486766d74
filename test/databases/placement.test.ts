// Buckets in several databases: where they are created, that a name exists once, and what a crash between two databases
// leaves behind.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { completePlacements } from "../../src/jobs/complete-placements.ts";
import { rememberLocation } from "../../src/state/metadata/bucket-locations.ts";
import { send } from "../support/client.ts";
import {
  BINDINGS,
  bucketIn,
  createIn,
  databaseFull,
  databasesOf,
  failing,
  failingAt,
  placementOf,
} from "../support/databases.ts";
import { expectBytes } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost } from "../support/faults.ts";
import { freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { runPass } from "../support/jobs.ts";
import { freshUser } from "../support/users.ts";

const NAMES = BINDINGS.map(({ name }) => name);
const HOUR_MS = 3_600_000;
const IN_EU = "<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint></CreateBucketConfiguration>";

function complete(afterMs = HOUR_MS) {
  return runPass(completePlacements, Date.now() + afterMs);
}

describe("a new bucket", () => {
  it.each(NAMES)("is created in the database that the request names: %s", async (database) => {
    const name = await bucketIn(database);
    expect(await databasesOf(name)).toEqual([database]);
    expect(await placementOf(name)).toBe(database === "DB" ? undefined : database);
    await putAll(name, { k: "v" });
    await expectBytes(await send("GET", `/${name}/k`), "v");
  });

  it("is refused for a database that is not bound", async () => {
    const name = freshBucketName();
    const fields = { ArgumentName: "x-cairn-database", ArgumentValue: "META_9" };
    await expectS3Error(await createIn("META_9", name), { status: 400, code: "InvalidArgument", fields });
    expect((await send("HEAD", `/${name}`)).status).toBe(404);
  });

  it("is created in the database that reports the smallest size", async () => {
    const sizes = new Map([
      ["DB", 3_000_000],
      ["META_1", 1_000_000],
      ["META_2", 2_000_000],
    ]);
    const scope = Object.assign(
      {},
      ...NAMES.map((database) => failing(database, (_, sendBatch) => reporting(sizes.get(database) ?? 0, sendBatch))),
    );
    for (const expected of ["META_1", "META_2", "DB"]) {
      const name = placedByWorker();
      expect((await send("PUT", `/${name}`, {}, scope)).status).toBe(200);
      expect(await databasesOf(name)).toEqual([expected]);
      sizes.set(expected, 9_000_000);
    }
  });

  it("avoids a database that is full or cannot be reached, also if it reports the smallest size", async () => {
    for (const [text, error] of [
      ["INSERT INTO buckets", databaseFull],
      ["SELECT 1", connectionLost],
    ] as const) {
      const scope = {
        ...failing("META_1", async (sql, sendBatch) => {
          if (sql.some((one) => one.includes(text))) throw error();
          return reporting(1, sendBatch);
        }),
      };
      const name = placedByWorker();
      expect((await send("PUT", `/${name}`, {}, scope)).status).toBe(200);
      const [database = ""] = await databasesOf(name);
      expect(["DB", "META_2"]).toContain(database);
      expect(await placementOf(name)).toBe(database === "DB" ? undefined : database);
    }
  });

  it("is registered where its row is, also if its first database was full while the name was freed", async () => {
    const name = placedByWorker();
    const sizes = new Map([
      ["META_1", 1],
      ["META_2", 2],
    ]);
    let isFreed = false;
    const scope = Object.assign(
      {},
      ...NAMES.map((database) =>
        failing(database, async (sql, sendBatch) => {
          if (database === "META_1" && sql.some((text) => text.includes("INSERT INTO buckets"))) {
            // Another request completes the creation, and one deletes the bucket.
            if (!isFreed) await env.DB.prepare("DELETE FROM bucket_placements WHERE name = ?").bind(name).run();
            isFreed = true;
            throw databaseFull();
          }
          return reporting(sizes.get(database) ?? 3, sendBatch);
        }),
      ),
    );
    expect((await send("PUT", `/${name}`, {}, scope)).status).toBe(200);
    expect(await databasesOf(name)).toEqual(["META_2"]);
    expect(await placementOf(name)).toBe("META_2");
    expect((await send("HEAD", `/${name}`)).status).toBe(200);
  });

  it("is refused in a full database that the request names, and its name stays free", async () => {
    const scope = failing("META_1", failingAt("INSERT INTO buckets", databaseFull));
    const name = freshBucketName();
    await expectS3Error(await createIn("META_1", name, {}, scope), { status: 507, code: "InsufficientStorage" });
    expect(await placementOf(name)).toBeUndefined();
    expect((await createIn("META_2", name)).status).toBe(200);
    expect(await databasesOf(name)).toEqual(["META_2"]);
  });
});

describe("a full database", () => {
  it("refuses writes to its buckets, which are still read, and other databases take writes", async () => {
    const [full, other] = [await bucketIn("META_1"), await bucketIn("META_2")];
    await putAll(full, { k: "v" });
    const scope = failing("META_1", async (sql, sendBatch) => {
      if (sql.some((text) => /^\s*(?:INSERT|UPDATE)/.test(text))) throw databaseFull();
      return sendBatch();
    });
    const tagging = "<Tagging><TagSet/></Tagging>";
    const refused = await send("PUT", `/${full}?tagging`, { body: tagging }, scope);
    await expectS3Error(refused, { status: 507, code: "InsufficientStorage" });
    await expectBytes(await send("GET", `/${full}/k`, {}, scope), "v");
    expect((await send("PUT", `/${other}?tagging`, { body: tagging }, scope)).status).toBe(200);
    expect((await send("PUT", `/${other}/k`, { body: "w" }, scope)).status).toBe(200);
  });
});

describe("a bucket's name", () => {
  it.each(NAMES)("is taken in every database once a bucket in %s has it", async (database) => {
    const name = await bucketIn(database);
    await putAll(name, { k: "v" });
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    for (const other of NAMES) {
      expect((await createIn(other, name)).status).toBe(200);
      const again = await createIn(other, name, { body: IN_EU });
      await expectS3Error(again, { status: 409, code: "BucketAlreadyOwnedByYou", fields: { BucketName: name } });
      const foreign = await createIn(other, name, { credentials });
      await expectS3Error(foreign, { status: 409, code: "BucketAlreadyExists", fields: { BucketName: name } });
    }
    expect(await databasesOf(name)).toEqual([database]);
    await expectBytes(await send("GET", `/${name}/k`), "v");
  });

  it("gets one bucket from concurrent creations in all databases", async () => {
    for (let round = 0; round < 5; round += 1) {
      const name = freshBucketName();
      const responses = await Promise.all(
        Array.from({ length: 9 }, (_, index) => createIn(NAMES[index % NAMES.length] ?? "DB", name)),
      );
      expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 200));
      const [database = "", ...others] = await databasesOf(name);
      expect(others).toEqual([]);
      expect(await placementOf(name)).toBe(database === "DB" ? undefined : database);
    }
  });

  it("has at most one bucket while it is created and deleted concurrently", async () => {
    const name = freshBucketName();
    await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        index % 2 === 0 ? createIn(NAMES[index % NAMES.length] ?? "DB", name) : send("DELETE", `/${name}`),
      ),
    );
    await complete();
    const found = await databasesOf(name);
    expect(found.length).toBeLessThanOrEqual(1);
    expect(await placementOf(name)).toBe(found[0] === "DB" ? undefined : found[0]);
    expect((await createIn("META_2", name)).status).toBe(200);
    expect((await send("PUT", `/${name}/k`, { body: "v" })).status).toBe(200);
  });

  it("is refused by the guards of the tables themselves", async () => {
    const [first, placed] = [await bucketIn("DB"), await bucketIn("META_1")];
    const insert = `INSERT INTO bucket_placements VALUES (?, 'id', 'META_1', 0, '{}')`;
    await expect(env.DB.prepare(insert).bind(first).run()).rejects.toThrow("bucket name taken");
    const bucket = `INSERT INTO buckets (name, id, owner_id, region, created_at) VALUES (?, 'id', 'o', 'r', 0)`;
    await env.DB.prepare(bucket).bind(placed).run();
    expect(await databasesOf(placed)).toEqual(["META_1"]);
  });
});

describe("a creation that ends between the two databases", () => {
  const unreached = failing("META_1", failingAt("INSERT INTO buckets", connectionLost));
  const unanswered = failing("META_1", failingAt("buckets", connectionLost, "after"));

  it("is completed by the next creation of the name, which makes no second bucket", async () => {
    for (const retryIn of NAMES) {
      const name = freshBucketName();
      await expectS3Error(await createIn("META_1", name, {}, unreached), { status: 503, code: "SlowDown" });
      expect(await databasesOf(name)).toEqual([]);
      expect((await send("HEAD", `/${name}`)).status).toBe(404);
      expect((await createIn(retryIn, name)).status).toBe(200);
      expect(await databasesOf(name)).toEqual(["META_1"]);
      expect((await send("PUT", `/${name}/k`, { body: "v" })).status).toBe(200);
    }
  });

  it("keeps the name for its owner", async () => {
    const name = freshBucketName();
    await createIn("META_1", name, {}, unreached);
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    const foreign = await createIn("DB", name, { credentials });
    await expectS3Error(foreign, { status: 409, code: "BucketAlreadyExists", fields: { BucketName: name } });
    expect((await send("DELETE", `/${name}`)).status).toBe(204);
    expect((await createIn("DB", name, { credentials })).status).toBe(200);
    expect(await databasesOf(name)).toEqual(["DB"]);
  });

  it("has happened if only its answer was lost", async () => {
    const name = freshBucketName();
    await createIn("META_1", name, {}, unanswered);
    expect(await databasesOf(name)).toEqual(["META_1"]);
    expect((await send("HEAD", `/${name}`)).status).toBe(200);
    expect((await createIn("META_2", name)).status).toBe(200);
    expect(await databasesOf(name)).toEqual(["META_1"]);
  });

  it("is completed by the schedule, with the access control list and tags that it asked for", async () => {
    const name = freshBucketName();
    const body = `<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags></CreateBucketConfiguration>`;
    await createIn("META_1", name, { body }, unreached);
    await complete(0);
    expect(await databasesOf(name)).toEqual([]);
    const { report } = await complete();
    expect(report["created"]).toBeGreaterThan(0);
    expect(await databasesOf(name)).toEqual(["META_1"]);
    expect(await (await send("GET", `/${name}?tagging`)).text()).toContain("<Key>a</Key>");
  });
});

describe("a deletion that ends between the two databases", () => {
  const keepsEntry = failing("DB", failingAt("DELETE FROM bucket_placements", connectionLost));

  it("frees the name for the next creation, in any database", async () => {
    for (const next of NAMES) {
      const name = await bucketIn("META_1");
      expect((await send("DELETE", `/${name}`, {}, keepsEntry)).status).toBe(204);
      expect(await placementOf(name)).toBe("META_1");
      expect((await send("HEAD", `/${name}`)).status).toBe(404);
      expect((await createIn(next, name)).status).toBe(200);
      expect(await databasesOf(name)).toEqual([next]);
    }
  });

  it("is completed by the schedule, which never creates the bucket again", async () => {
    const name = await bucketIn("META_1");
    await send("DELETE", `/${name}`, {}, keepsEntry);
    await complete();
    expect(await placementOf(name)).toBeUndefined();
    expect(await databasesOf(name)).toEqual([]);
  });

  it("is completed before its record is purged", async () => {
    const name = await bucketIn("META_1");
    await send("DELETE", `/${name}`, {}, keepsEntry);
    const { report } = await complete(26 * HOUR_MS);
    expect(report["expired"]).toBeGreaterThan(0);
    await complete(27 * HOUR_MS);
    expect(await placementOf(name)).toBeUndefined();
    expect(await databasesOf(name)).toEqual([]);
    for (const { d1 } of BINDINGS) {
      expect((await d1.prepare("SELECT 1 FROM deleted_buckets").all()).results).toEqual([]);
    }
  });
});

describe("a bucket that is deleted and created again in another database", () => {
  it("is found by the next request, whatever database was remembered", async () => {
    for (const [before, after] of [
      ["META_1", "META_2"],
      ["META_1", "DB"],
      ["DB", "META_2"],
    ] as const) {
      const name = await bucketIn(before);
      await putAll(name, { old: "1" });
      expect((await send("DELETE", `/${name}/old`)).status).toBe(204);
      expect((await send("DELETE", `/${name}`)).status).toBe(204);
      expect((await createIn(after, name)).status).toBe(200);
      await putAll(name, { k: "v" });
      for (const remembered of ["META_1", "META_2", "META_77"]) {
        // Another isolate may still remember any of them.
        rememberLocation(name, remembered);
        await expectBytes(await send("GET", `/${name}/k`), "v");
        rememberLocation(name, remembered);
        expect((await send("PUT", `/${name}/k2`, { body: "w" })).status).toBe(200);
        rememberLocation(name, remembered);
        expect(await (await send("GET", `/${name}`)).text()).toContain("<Key>k2</Key>");
      }
    }
  });
});

describe("a bucket whose database is not bound", () => {
  it("answers 503 and names the database; others are unaffected", async () => {
    const [gone, other] = [await bucketIn("META_2"), await bucketIn("META_1")];
    const scope = { META_2: undefined };
    const refused = await send("GET", `/${gone}`, {}, scope);
    expect(await expectS3Error(refused, { status: 503, code: "ServiceUnavailable" })).toContain("META_2");
    expect((await send("GET", `/${other}`, {}, scope)).status).toBe(200);
    const alone = { META_1: undefined, META_2: undefined };
    const taken = await createIn("DB", gone, {}, alone);
    await expectS3Error(taken, { status: 409, code: "BucketAlreadyExists", fields: { BucketName: gone } });
  });
});

/** A name whose bucket the tests' client leaves to the Worker. */
function placedByWorker(): string {
  return `placed-${crypto.randomUUID()}`;
}

/** Sends a batch whose database then reports another size. */
async function reporting(bytes: number, sendBatch: () => Promise<D1Result[]>): Promise<D1Result[]> {
  const results = await sendBatch();
  for (const { meta } of results) meta.size_after = bytes;
  return results;
}

// PutObject, DeleteObject and DeleteObjects when D1 fails at the commit: lost, late and unknown results.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { mockErrorLog } from "../support/error-log.ts";
import { send } from "../support/client.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { connectionLost, failingCommits, withCoordinatorD1 } from "../support/faults.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { bucketId, expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { plain, readXml } from "../support/read-xml.ts";
import { NEW_BYTES, UNKNOWN, bucketOfOne, expectObject, losing, put, remove } from "./faults-fixture.ts";

mockErrorLog();

describe("a PUT whose commit meets an error of D1", () => {
  for (const when of ["before", "after"] as const) {
    it.each([1, 3])(`${when} it is applied, %i times, is committed once`, async (times) => {
      for (const bucket of [await bucketOfOne(), await freshBucket()]) {
        const hadOne = (await storedStateOf(bucket)).objects["k"] !== undefined;
        const response = await withCoordinatorD1(bucket, failingCommits(when, times), () => put(bucket));
        expect(response.status).toBe(200);
        await expectObject(bucket, NEW_BYTES);
        const storedState = await storedStateOf(bucket);
        expect(storedState.garbage).toHaveLength(hadOne ? 1 : 0);
        expectNothingLeftOver(storedState);
      }
    });

    it(`${when} it is applied, does not fail its own If-None-Match: *`, async () => {
      const bucket = await freshBucket();
      const headers = { "if-none-match": "*" };
      const response = await withCoordinatorD1(bucket, failingCommits(when, 1), () => put(bucket, {}, { headers }));
      expect(response.status).toBe(200);
      await expectObject(bucket, NEW_BYTES);
    });
  }

  it("before it is applied and on every retry, is unknown and keeps the object and the blob", async () => {
    const bucket = await bucketOfOne();
    const response = await withCoordinatorD1(bucket, failingCommits("before", 99), () => put(bucket));
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, "old");
    expect(Object.keys((await storedStateOf(bucket)).blobs)).toHaveLength(2);
  });

  it("after it is applied, with every check of it failing too, is unknown, and the object exists", async () => {
    const bucket = await bucketOfOne();
    let isApplied = false;
    const response = await withCoordinatorD1(
      bucket,
      async (_sql, send_) => {
        if (!isApplied) await send_();
        isApplied = true;
        throw connectionLost();
      },
      () => put(bucket),
    );
    await expectS3Error(response, UNKNOWN);
    await expectObject(bucket, NEW_BYTES);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("and whose batch arrives late, after the key was written and deleted again, does not restore it", async () => {
    const bucket = await freshBucket();
    let turn = 0;
    const response = await withCoordinatorD1(
      bucket,
      async (sql, send_) => {
        if (!sql.some((text) => text.includes("commit_guard"))) return send_();
        turn += 1;
        if (turn === 1) throw connectionLost();
        if (turn === 2) {
          // The first batch was only slow: it is applied now, and another instance deletes its object.
          await send_();
          const id = await bucketId(bucket);
          await env.DB.batch([
            env.DB.prepare("INSERT INTO garbage SELECT blob_id, 0 FROM objects WHERE bucket_id = ?").bind(id),
            env.DB.prepare("DELETE FROM objects WHERE bucket_id = ?").bind(id),
          ]);
        }
        return send_();
      },
      () => put(bucket),
    );
    // The object existed for a moment and was then deleted by another client.
    expect(response.status).toBe(200);
    await expectObject(bucket, undefined);
    expect(turn).toBe(2);
    expectNothingLeftOver(await storedStateOf(bucket));
  });

  it("does not block the next write of the key", async () => {
    const bucket = await bucketOfOne();
    await withCoordinatorD1(bucket, failingCommits("before", 4), async () => {
      const [first, second] = await Promise.all([put(bucket), put(bucket, {}, { body: "second" })]);
      const statuses = [first.status, second.status];
      expect(statuses).toContain(503);
      expect(statuses).toContain(200);
      await expectObject(bucket, first.status === 200 ? NEW_BYTES : "second");
      await Promise.all([first.arrayBuffer(), second.arrayBuffer()]);
    });
  });
});

describe("a DELETE", () => {
  it.each(["before", "after"] as const)(
    "whose commit meets an error %s it is applied, is executed once",
    async (when) => {
      for (const times of [1, 3]) {
        const bucket = await bucketOfOne();
        const response = await withCoordinatorD1(bucket, failingCommits(when, times), () => remove(bucket));
        expect(response.status).toBe(204);
        await expectObject(bucket, undefined);
        const storedState = await storedStateOf(bucket);
        expect(storedState.garbage).toHaveLength(1);
        expectNothingLeftOver(storedState);
      }
    },
  );

  it("that D1 never applies is unknown, and the object exists", async () => {
    const bucket = await bucketOfOne();
    await expectNoTrace(bucket, async () =>
      expectS3Error(await withCoordinatorD1(bucket, failingCommits("before", 99), () => remove(bucket)), UNKNOWN),
    );
  });

  it("whose call is lost is unknown and not retried: a retry could delete a newer object", async () => {
    for (const headers of [{}, { "if-match": "*" }]) {
      for (const [when, expected] of [
        ["before", "old"],
        ["after", undefined],
      ] as const) {
        const bucket = await bucketOfOne();
        const { calls, COORDINATORS } = losing(when, 1);
        await expectS3Error(await remove(bucket, { COORDINATORS }, headers), UNKNOWN);
        expect(calls.made).toBe(1);
        await expectObject(bucket, expected);
        expectNothingLeftOver(await storedStateOf(bucket));
      }
    }
  });
});

describe("DeleteObjects", () => {
  it("returns an error for each key whose coordinator D1 fails, and deletes the others", async () => {
    const bucket = await freshBucket();
    const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    await putAll(bucket, Object.fromEntries(keys.map((key) => [key, key])));
    const body = utf8(`<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`);
    const response = await withCoordinatorD1(
      bucket,
      failingCommits("before", 99),
      () =>
        send(
          "POST",
          `/${bucket}?delete`,
          { body, headers: { "content-md5": md5Base64(body) } },
          { COORDINATOR_SHARDS: "2" },
        ),
      1,
    );
    expect(response.status).toBe(200);
    const failed: unknown[] = [];
    const deleted: unknown[] = [];
    for (const child of readXml(await response.text()).children) {
      const [key, code] = child.children.map(({ text }) => text);
      (child.name === "Error" ? failed : deleted).push(key);
      if (child.name === "Error") expect(code, JSON.stringify(plain(child))).toBe("ServiceUnavailable");
    }
    expect(failed.length).toBeGreaterThan(0);
    expect(deleted.length).toBeGreaterThan(0);
    expect([...failed, ...deleted]).toHaveLength(keys.length);
    const storedState = await storedStateOf(bucket);
    expect(new Set(Object.keys(storedState.objects))).toEqual(new Set(failed));
    expectNothingLeftOver(storedState);
  });
});

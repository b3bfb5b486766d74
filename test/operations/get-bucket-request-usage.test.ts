import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { expireUsage } from "../../src/jobs/expire-usage.ts";
import { dayOf } from "../../src/protocol/core/usage-days.ts";
import { anonymous, deliver, ROOT, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { connectionLost, d1With } from "../support/faults.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { jobContext } from "../support/jobs.ts";
import { childrenOf, readXml } from "../support/read-xml.ts";
import { freshUser } from "../support/users.ts";

/** Adds the counts right after each answer. */
const COUNTED = { USAGE: "true", USAGE_FLUSH_SECONDS: "0" } as const;
const yesterday = (): string => dayOf(Date.now() - 86_400_000);

type Row = Readonly<Record<string, string>>;

async function usageOf(target: string): Promise<Row[]> {
  const response = await send("GET", target);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return childrenOf(readXml(text), "Usage").map((row) =>
    Object.fromEntries(row.children.map(({ name, text: value }) => [name, value])),
  );
}

/** The sum of a figure over the days since yesterday: a test may begin before midnight. */
async function sumOf(bucket: string, figure: string, accessKeyId?: string): Promise<number> {
  const rows = await usageOf(`/${bucket}?usage&from=${yesterday()}`);
  const of = rows.filter((row) => accessKeyId === undefined || row["AccessKeyId"] === accessKeyId);
  return of.reduce((sum, row) => sum + Number(row[figure]), 0);
}

describe("GetBucketRequestUsage", () => {
  it("reports exactly the requests that were answered, by class, with their bytes", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/a`, { body: "12345" }, COUNTED);
    await send("PUT", `/${bucket}/b`, { body: "123" }, COUNTED);
    await (await send("GET", `/${bucket}/a`, {}, COUNTED)).text();
    await send("HEAD", `/${bucket}/a`, {}, COUNTED);
    const listed = (await (await send("GET", `/${bucket}?list-type=2`, {}, COUNTED)).arrayBuffer()).byteLength;
    await send("DELETE", `/${bucket}/b`, {}, COUNTED);
    const missing = (await (await send("GET", `/${bucket}/b`, {}, COUNTED)).arrayBuffer()).byteLength;
    const figures: Record<string, number> = {};
    for (const figure of ["Requests", "ClassA", "ClassB", "Free", "Errors", "BytesIn", "BytesOut"]) {
      figures[figure] = await sumOf(bucket, figure);
    }
    expect(figures).toEqual({
      Requests: 7,
      ClassA: 3,
      ClassB: 3,
      Free: 1,
      Errors: 1,
      BytesIn: 8,
      BytesOut: 5 + listed + missing,
    });
  });

  it("equals the counted requests when many run at once", async () => {
    const bucket = await freshBucket();
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) =>
        index % 2 === 0
          ? (await send("PUT", `/${bucket}/${index}`, { body: "x" }, COUNTED)).status
          : (await send("HEAD", `/${bucket}/none`, {}, COUNTED)).status,
      ),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    // The request after the others flushes what was counted during the last addition.
    await send("HEAD", `/${bucket}`, {}, COUNTED);
    expect(await sumOf(bucket, "Requests")).toBe(41);
    expect(await sumOf(bucket, "ClassA")).toBe(20);
    expect(await sumOf(bucket, "Errors")).toBe(20);
  });

  it("separates access keys, and counts requests without verified credentials under no key", async () => {
    const bucket = await freshBucket();
    const { credentials } = await freshUser({ Effect: "Allow", Action: "s3:*", Resource: "*" });
    await send("PUT", `/${bucket}/a`, { body: "1", credentials }, COUNTED);
    await send("PUT", `/${bucket}/a`, { body: "1" }, COUNTED);
    await deliver(anonymous("GET", `/${bucket}/a`), COUNTED);
    const forged = { ...ROOT, secretAccessKey: "wrong" };
    expect((await send("GET", `/${bucket}/a`, { credentials: forged }, COUNTED)).status).toBe(403);
    expect(await sumOf(bucket, "Requests", credentials.accessKeyId)).toBe(1);
    expect(await sumOf(bucket, "Requests", ROOT.accessKeyId)).toBe(1);
    expect(await sumOf(bucket, "Errors", "")).toBe(1);
  });

  it("costs the counted request no round trip and no row", async () => {
    const bucket = await freshBucket();
    const put = async (key: string, scope: object) =>
      costOf(await send("PUT", `/${bucket}/${key}`, { body: "1" }, scope));
    expect(await put("counted", COUNTED)).toEqual(await put("uncounted", {}));
    const report = await send("GET", `/${bucket}?usage&from=${yesterday()}`);
    expect(costOf(report)).toMatchObject({ roundTrips: 2, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("counts once when the answer of an addition is lost", async () => {
    const bucket = await freshBucket();
    let isLost = true;
    const DB = d1With(async (sql, send) => {
      if (!isLost || !sql.some((text) => text.includes("INSERT INTO request_usage"))) return send();
      isLost = false;
      await send();
      throw connectionLost();
    });
    await send("PUT", `/${bucket}/a`, { body: "1" }, { ...COUNTED, DB });
    expect(isLost).toBe(false);
    await send("PUT", `/${bucket}/b`, { body: "1" }, { ...COUNTED, DB });
    expect(await sumOf(bucket, "Requests")).toBe(2);
  });

  it("answers requests that cannot be counted", async () => {
    const bucket = await freshBucket();
    let isDown = true;
    const DB = d1With(async (sql, send) => {
      if (isDown && sql.some((text) => text.includes("INSERT INTO request_usage"))) throw connectionLost();
      return send();
    });
    expect((await send("PUT", `/${bucket}/a`, { body: "1" }, { ...COUNTED, DB })).status).toBe(200);
    expect(await sumOf(bucket, "Requests")).toBe(0);
    isDown = false;
    expect((await send("PUT", `/${bucket}/b`, { body: "1" }, { ...COUNTED, DB })).status).toBe(200);
    expect(await sumOf(bucket, "Requests")).toBe(2);
  });

  it("counts nothing when the setting is off", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/a`, { body: "1" }, { USAGE: "false" });
    expect(await usageOf(`/${bucket}?usage&from=${yesterday()}`)).toEqual([]);
  });

  it.each(["to=2026-11-01", "to=", "access-key-id=AKIAANYKEY"])("refuses %s without a first day", async (query) => {
    const bucket = await freshBucket();
    for (const target of [`/${bucket}?usage&${query}`, `/?usage&${query}`]) {
      const fields = { ArgumentName: "from" };
      await expectS3Error(await send("GET", target), { status: 400, code: "InvalidArgument", fields });
    }
  });

  it("accepts a report of one day and one that begins in the future", async () => {
    const bucket = await freshBucket();
    for (const query of ["from=2026-11-01&to=2026-11-01", "from=2999-01-01"]) {
      expect((await send("GET", `/${bucket}?usage&${query}`)).status).toBe(200);
    }
  });

  it("refuses days that do not exist, are in the wrong order or are too many", async () => {
    const bucket = await freshBucket();
    for (const query of [
      "from=",
      "from=yesterday",
      "from=2026-02-30",
      "from=2026-1-1",
      "from=2026-11-02&to=2026-11-01",
      "from=2024-01-01&to=2026-01-01",
      "from=2026-11-01&to=2026-13-01",
      "from=2026-11-01&continuation-token=forged",
      "from=2026-11-01&prefix=a",
    ]) {
      const response = await send("GET", `/${bucket}?usage&${query}`);
      expect([query, response.status]).toEqual([query, 400]);
      expect(await response.text()).toContain("<Code>InvalidArgument</Code>");
    }
  });
});

describe("the job that expires usage", () => {
  it("purges days before those that are kept", async () => {
    const old = ["2020-01-01", "b", "k", "name", 1, 1, 1, 1, 1, 1];
    await env.DB.prepare(`INSERT OR REPLACE INTO request_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .bind(...old)
      .run();
    const step = await expireUsage.step(jobContext(Date.now()), null);
    expect(step).toMatchObject({ cursor: null, report: { expired: 1 } });
  });
});

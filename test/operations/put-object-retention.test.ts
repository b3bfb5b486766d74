import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import {
  BYPASS,
  inDays,
  LOCKED,
  lockedBucket,
  NOT_ENABLED,
  putLock,
  putLocked,
  retentionHeaders,
  retentionOf,
  retentionUntil,
  type Mode,
} from "../support/object-lock.ts";
import { expectUntouched } from "../support/rows.ts";
import { deleteKey, putVersion } from "../support/versioning.ts";

async function retained(bucket: string, query = ""): Promise<string> {
  const text = await (await send("GET", `/${bucket}/k?retention${query}`)).text();
  return /<Mode>(\w+)<\/Mode>/.exec(text)?.[1] ?? /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text;
}

async function lockedObject(mode?: Mode, days = 2): Promise<string> {
  const bucket = await lockedBucket();
  await putLocked(bucket, "k", mode === undefined ? {} : retentionHeaders(mode, days));
  return bucket;
}

describe("PutObjectRetention", () => {
  it("sets a retention on the current version, or on a named one", async () => {
    const bucket = await lockedBucket();
    const first = await putVersion(bucket, "k", "1");
    const second = await putVersion(bucket, "k", "2");
    const response = await putLock(bucket, "k", "retention", retentionOf("GOVERNANCE", 1));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(response.headers.get("x-amz-version-id")).toBe(second);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 1 });
    expect(await retained(bucket, `&versionId=${first}`)).toBe("NoSuchObjectLockConfiguration");
    const named = await putLock(bucket, "k", `retention&versionId=${first}`, retentionOf("COMPLIANCE", 1));
    expect(named.headers.get("x-amz-version-id")).toBe(first);
    expect([await retained(bucket), await retained(bucket, `&versionId=${first}`)]).toEqual([
      "GOVERNANCE",
      "COMPLIANCE",
    ]);
  });

  it.each<Mode>(["GOVERNANCE", "COMPLIANCE"])("extends a %s retention without a bypass", async (mode) => {
    const bucket = await lockedObject(mode);
    const until = inDays(400 * 365);
    expect((await putLock(bucket, "k", "retention", retentionUntil(mode, until))).status).toBe(200);
    expect(await (await send("GET", `/${bucket}/k?retention`)).text()).toContain(until);
    // The same date again is no change.
    expect((await putLock(bucket, "k", "retention", retentionUntil(mode, until))).status).toBe(200);
  });

  it.each([
    ["a shorter date", retentionOf("GOVERNANCE", 1)],
    ["another mode", retentionOf("COMPLIANCE", 3)],
    ["no retention", "<Retention/>"],
  ])("changes a GOVERNANCE retention to %s only with a bypass", async (_name, body) => {
    const bucket = await lockedObject("GOVERNANCE");
    await expectUntouched(bucket, async () => expectS3Error(await putLock(bucket, "k", "retention", body), LOCKED));
    expect((await putLock(bucket, "k", "retention", body, { headers: BYPASS })).status).toBe(200);
    expect(await retained(bucket)).toBe(/<Mode>(\w+)/.exec(body)?.[1] ?? "NoSuchObjectLockConfiguration");
  });

  it.each([
    ["a shorter date", retentionOf("COMPLIANCE", 1)],
    ["GOVERNANCE", retentionOf("GOVERNANCE", 3)],
    ["no retention", "<Retention></Retention>"],
  ])("never changes a COMPLIANCE retention to %s, not even for root with a bypass", async (_name, body) => {
    const bucket = await lockedObject("COMPLIANCE");
    for (const headers of [{}, BYPASS]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await putLock(bucket, "k", "retention", body, { headers }), LOCKED),
      );
    }
  });

  it("accepts a date with a UTC offset or a fraction", async () => {
    const bucket = await lockedObject();
    const body = retentionUntil("GOVERNANCE", "2140-01-01T02:30:00+02:30");
    expect((await putLock(bucket, "k", "retention", body)).status).toBe(200);
    expect(await (await send("GET", `/${bucket}/k?retention`)).text()).toContain("2140-01-01T00:00:00.000Z");
    const finer = retentionUntil("GOVERNANCE", "2140-01-01T00:00:00.123456Z");
    expect((await putLock(bucket, "k", "retention", finer)).status).toBe(200);
  });

  it("rejects a date in the past, by the database's clock", async () => {
    const bucket = await lockedObject();
    for (const date of ["1970-01-01T00:00:00Z", inDays(-1)]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await putLock(bucket, "k", "retention", retentionUntil("GOVERNANCE", date)), {
          status: 400,
          code: "InvalidArgument",
          message: "The retain until date must be in the future!",
          fields: { ArgumentName: "RetainUntilDate", ArgumentValue: new Date(date).toISOString() },
        }),
      );
    }
  });

  it.each([
    ["an unknown mode", retentionOf("abc", 1)],
    ["a mode in lower case", retentionOf("governance", 1)],
    ["no mode", "<Retention><RetainUntilDate>2140-01-01T00:00:00Z</RetainUntilDate></Retention>"],
    ["no date", "<Retention><Mode>GOVERNANCE</Mode></Retention>"],
    ["a date without a time", retentionUntil("GOVERNANCE", "2140-01-01")],
    ["an impossible date", retentionUntil("GOVERNANCE", "2140-02-30T00:00:00Z")],
    ["an impossible offset", retentionUntil("GOVERNANCE", "2140-01-01T00:00:00+99:00")],
    ["a huge year", retentionUntil("GOVERNANCE", "99999-01-01T00:00:00Z")],
    ["an unknown element", retentionOf("GOVERNANCE", 1).replace("</Retention>", "<X/></Retention>")],
    ["another root", "<LegalHold><Status>ON</Status></LegalHold>"],
    ["no document", ""],
  ])("rejects a document with %s", async (_name, body) => {
    const bucket = await lockedObject();
    await expectUntouched(bucket, async () =>
      expectS3Error(await putLock(bucket, "k", "retention", body), { status: 400, code: "MalformedXML" }),
    );
  });

  it("is rejected in a bucket without Object Lock", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await putLock(bucket, "k", "retention", retentionOf("GOVERNANCE", 1)), NOT_ENABLED),
    );
  });

  it("returns the errors of missing keys, versions and delete markers", async () => {
    const bucket = await lockedObject();
    const body = retentionOf("GOVERNANCE", 1);
    const missing = await putLock(bucket, "none", "retention", body);
    await expectS3Error(missing, { status: 404, code: "NoSuchKey", fields: { Key: "none" } });
    const marker = await deleteKey(bucket, "k");
    const onMarker = await putLock(bucket, "k", `retention&versionId=${marker}`, body);
    expect(onMarker.status).toBe(405);
    await onMarker.text();
    expect((await putLock(bucket, "k", `retention&versionId=${"0".repeat(32)}`, body)).status).toBe(404);
  });
});

// The locks of new versions: requested by headers and forms, given by the bucket's default, shown by reads, and limited
// by policies.
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { checksum, md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { formOf, sendForm, signPolicy } from "../support/forms.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { completionOf, createUpload, putPart, sendCompletion } from "../support/multipart.ts";
import {
  BYPASS,
  deleteVersion,
  inDays,
  legalHoldHeaders,
  LOCKED,
  lockedBucket,
  NOT_ENABLED,
  putLock,
  putLocked,
  retentionHeaders,
  retentionOf,
  setDefaultRetention,
} from "../support/object-lock.ts";
import { expectUntouched } from "../support/rows.ts";
import { freshUser } from "../support/users.ts";
import { putVersion } from "../support/versioning.ts";

const DAY_MS = 86_400_000;
const MODE = "x-amz-object-lock-mode";
const UNTIL = "x-amz-object-lock-retain-until-date";
const HOLD = "x-amz-object-lock-legal-hold";

/** The lock headers of a HEAD. */
async function lockOf(bucket: string, key: string, query = ""): Promise<Record<string, string>> {
  const { headers } = await send("HEAD", `/${bucket}/${key}${query}`);
  return Object.fromEntries(Array.from(headers).filter(([name]) => name.startsWith("x-amz-object-lock-")));
}

const digestOf = (body: string): Record<string, string> => ({ "content-md5": md5Base64(utf8(body)) });

describe("a lock that an upload requests", () => {
  const lock = { ...retentionHeaders("GOVERNANCE", 1), ...legalHoldHeaders("ON") };

  it("is set by PutObject in its one commit, and shown by HEAD and GET", async () => {
    const bucket = await lockedBucket();
    const response = await send("PUT", `/${bucket}/k`, { body: "x", headers: { ...lock, ...digestOf("x") } });
    expect(response.status).toBe(200);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 1, blobCalls: 1 });
    expect(await lockOf(bucket, "k")).toEqual(lock);
    const read = await send("GET", `/${bucket}/k`);
    expect(await read.text()).toBe("x");
    expect(read.headers.get(MODE)).toBe("GOVERNANCE");
  });

  it("is set by a form, a copy and a multipart upload", async () => {
    const bucket = await lockedBucket();
    const fields = { key: "form", ...lock };
    const conditions = [{ bucket }, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
    const form = formOf([...Object.entries({ ...fields, ...signPolicy(conditions) }), ["file", "x", "f"]]);
    expect((await sendForm(bucket, form)).status).toBe(204);
    const headers = { "x-amz-copy-source": `/${bucket}/form`, ...lock };
    expect((await send("PUT", `/${bucket}/copy`, { headers })).status).toBe(200);
    const uploadId = await createUpload(bucket, "parts", lock);
    const part = await putPart(bucket, "parts", uploadId, 1, "x");
    expect((await sendCompletion(bucket, "parts", uploadId, [part])).status).toBe(200);
    for (const key of ["form", "copy", "parts"]) expect(await lockOf(bucket, key), key).toEqual(lock);
  });

  it("is not copied from the source", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "from", lock);
    const headers = { "x-amz-copy-source": `/${bucket}/from` };
    expect((await send("PUT", `/${bucket}/to`, { headers })).status).toBe(200);
    expect(await lockOf(bucket, "to")).toEqual({});
  });

  it("moves with its version when a newer one comes and when it becomes current again", async () => {
    const bucket = await lockedBucket();
    const version = await putLocked(bucket, "k", lock);
    const newer = await putVersion(bucket, "k", "newer");
    expect(await lockOf(bucket, "k", `?versionId=${version}`)).toEqual(lock);
    expect(await lockOf(bucket, "k")).toEqual({});
    expect(await deleteVersion(bucket, "k", newer)).toBe(204);
    expect(await lockOf(bucket, "k")).toEqual(lock);
  });

  it("is accepted for a legal hold that is OFF, and for a date far in the future", async () => {
    const bucket = await lockedBucket();
    const headers = { [MODE]: "COMPLIANCE", [UNTIL]: "2140-01-01T00:00:00.000Z", [HOLD]: "OFF" };
    await putLocked(bucket, "k", headers);
    expect(await lockOf(bucket, "k")).toEqual(headers);
  });

  it.each([
    ["a mode without a date", { [MODE]: "GOVERNANCE" }, UNTIL],
    ["a date without a mode", { [UNTIL]: inDays(1) }, MODE],
    ["an unknown mode", { ...retentionHeaders("GOVERNANCE", 1), [MODE]: "governance" }, MODE],
    ["a date in the past", retentionHeaders("GOVERNANCE", -1), UNTIL],
    ["an HTTP date", { [MODE]: "GOVERNANCE", [UNTIL]: "Fri, 02 Jan 2099 03:04:05 GMT" }, UNTIL],
    ["an impossible date", { [MODE]: "GOVERNANCE", [UNTIL]: "2099-13-01T00:00:00Z" }, UNTIL],
    ["an empty mode", { [MODE]: "", [UNTIL]: inDays(1) }, MODE],
    ["an unknown legal hold", { [HOLD]: "on" }, HOLD],
  ])("is rejected with %s, in every upload", async (_name, headers, argument) => {
    const bucket = await lockedBucket();
    await putVersion(bucket, "from", "x");
    await expectUntouched(bucket, async () => {
      for (const [method, target, extra] of [
        ["PUT", "k", digestOf("x")],
        ["PUT", "k", { "x-amz-copy-source": `/${bucket}/from` }],
        ["POST", "k?uploads", {}],
      ] as const) {
        const body = "content-md5" in extra ? "x" : undefined;
        const response = await send(method, `/${bucket}/${target}`, { body, headers: { ...headers, ...extra } });
        const text = await response.text();
        expect(response.status, text).toBe(400);
        expect(text).toContain(`<Code>InvalidArgument</Code>`);
        expect(text).toContain(`<ArgumentName>${argument}</ArgumentName>`);
      }
    });
  });

  it("is rejected in a bucket without Object Lock", async () => {
    const bucket = await freshBucket();
    for (const one of [retentionHeaders("COMPLIANCE", 1), legalHoldHeaders("OFF")]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(
          await send("PUT", `/${bucket}/k`, { body: "x", headers: { ...one, ...digestOf("x") } }),
          NOT_ENABLED,
        ),
      );
    }
  });

  it("requires a digest of the body with PutObject", async () => {
    const bucket = await lockedBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}/k`, { body: "x", headers: lock }), {
        status: 400,
        code: "InvalidRequest",
        message:
          "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
      }),
    );
    const headers = { ...lock, "x-amz-checksum-crc32": checksum("CRC32", utf8("x")) };
    expect((await send("PUT", `/${bucket}/k`, { body: "x", headers })).status).toBe(200);
  });
});

describe("a default retention", () => {
  const until = async (bucket: string, key: string): Promise<number> =>
    Date.parse((await lockOf(bucket, key))[UNTIL] ?? "");

  it("is given to every new version, from its commit on", async () => {
    const bucket = await lockedBucket();
    await putVersion(bucket, "before", "x");
    await setDefaultRetention(bucket, "<Mode>GOVERNANCE</Mode><Days>3</Days>");
    const from = Date.now() - 2000;
    const put = await send("PUT", `/${bucket}/put`, { body: "x" });
    expect(costOf(put)).toMatchObject({ roundTrips: 2, rowsWritten: 2, coordinatorCalls: 1, blobCalls: 1 });
    await send("PUT", `/${bucket}/copy`, { headers: { "x-amz-copy-source": `/${bucket}/put` } });
    const uploadId = await createUpload(bucket, "parts");
    const part = await putPart(bucket, "parts", uploadId, 1, "x");
    await sendCompletion(bucket, "parts", uploadId, [part]);
    for (const key of ["put", "copy", "parts"]) {
      expect((await lockOf(bucket, key))[MODE], key).toBe("GOVERNANCE");
      expect(await until(bucket, key)).toBeGreaterThanOrEqual(from + 3 * DAY_MS);
      expect(await until(bucket, key)).toBeLessThanOrEqual(Date.now() + 2000 + 3 * DAY_MS);
    }
    expect(await lockOf(bucket, "before")).toEqual({});
  });

  it("counts years of the calendar", async () => {
    const bucket = await lockedBucket();
    await setDefaultRetention(bucket, "<Mode>COMPLIANCE</Mode><Years>2</Years>");
    await putVersion(bucket, "k", "x");
    const { [MODE]: mode, [UNTIL]: date = "" } = await lockOf(bucket, "k");
    expect([mode, Number(date.slice(0, 4))]).toEqual(["COMPLIANCE", new Date().getUTCFullYear() + 2]);
  });

  it("gives way to a requested retention, shorter or longer, and goes with a requested legal hold", async () => {
    const bucket = await lockedBucket();
    await setDefaultRetention(bucket, "<Mode>COMPLIANCE</Mode><Days>3</Days>");
    const requested = retentionHeaders("GOVERNANCE", 1);
    const version = await putLocked(bucket, "own", requested);
    expect(await lockOf(bucket, "own")).toEqual(requested);
    await putLocked(bucket, "held", legalHoldHeaders("ON"));
    expect(await lockOf(bucket, "held")).toMatchObject({ [MODE]: "COMPLIANCE", [HOLD]: "ON" });
    expect(await deleteVersion(bucket, "own", version, BYPASS)).toBe(204);
  });

  it("is none for delete markers", async () => {
    const bucket = await lockedBucket();
    await setDefaultRetention(bucket, "<Mode>COMPLIANCE</Mode><Days>3</Days>");
    const marker = (await send("DELETE", `/${bucket}/k`)).headers.get("x-amz-version-id") ?? "";
    expect(await deleteVersion(bucket, "k", marker)).toBe(204);
  });
});

describe("permissions", () => {
  const allow = (...actions: readonly string[]) => ({ Effect: "Allow", Action: actions, Resource: "*" });

  it("of lock headers are s3:PutObjectRetention and s3:PutObjectLegalHold", async () => {
    const bucket = await lockedBucket();
    for (const [action, lock] of [
      ["s3:PutObjectRetention", retentionHeaders("GOVERNANCE", 1)],
      ["s3:PutObjectLegalHold", legalHoldHeaders("OFF")],
    ] as const) {
      const without = await freshUser(allow("s3:PutObject"));
      const having = await freshUser(allow("s3:PutObject", action));
      const headers = { ...lock, ...digestOf("x") };
      const put = async ({ credentials }: typeof having) =>
        (await send("PUT", `/${bucket}/k`, { body: "x", headers, credentials })).status;
      expect([await put(without), await put(having)]).toEqual([403, 200]);
    }
  });

  it("to see a lock are s3:GetObjectRetention and s3:GetObjectLegalHold", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", { ...retentionHeaders("GOVERNANCE", 1), ...legalHoldHeaders("ON") });
    for (const [actions, seen] of [
      [["s3:GetObject"], [null, null]],
      [
        ["s3:GetObject", "s3:GetObjectRetention"],
        ["GOVERNANCE", null],
      ],
      [
        ["s3:GetObject", "s3:GetObjectLegalHold"],
        [null, "ON"],
      ],
    ] as const) {
      const { credentials } = await freshUser(allow(...actions));
      const { headers, status } = await send("HEAD", `/${bucket}/k`, { credentials });
      expect([status, headers.get(MODE), headers.get(HOLD)]).toEqual([200, ...seen]);
    }
  });

  it("to create a bucket with Object Lock include its configuration and its versioning", async () => {
    const headers = { "x-amz-bucket-object-lock-enabled": "true" };
    for (const [actions, status] of [
      [["s3:CreateBucket", "s3:PutBucketVersioning"], 403],
      [["s3:CreateBucket", "s3:PutBucketObjectLockConfiguration"], 403],
      [["s3:CreateBucket", "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration"], 200],
    ] as const) {
      const { credentials } = await freshUser(allow(...actions));
      const bucket = `lock-${crypto.randomUUID()}`;
      expect((await send("PUT", `/${bucket}`, { headers, credentials })).status).toBe(status);
    }
  });

  it("can depend on mode, date, remaining days and legal hold", async () => {
    const bucket = await lockedBucket();
    const deny = (condition: object) => ({ Effect: "Deny", Action: "s3:*", Resource: "*", Condition: condition });
    const cases: readonly (readonly [object, Record<string, string>, Record<string, string>])[] = [
      [
        { StringEquals: { "s3:object-lock-mode": "COMPLIANCE" } },
        retentionHeaders("COMPLIANCE", 1),
        retentionHeaders("GOVERNANCE", 1),
      ],
      [
        { NumericGreaterThan: { "s3:object-lock-remaining-retention-days": "10" } },
        retentionHeaders("GOVERNANCE", 11),
        retentionHeaders("GOVERNANCE", 10),
      ],
      [
        { DateGreaterThan: { "s3:object-lock-retain-until-date": inDays(5) } },
        retentionHeaders("GOVERNANCE", 6),
        retentionHeaders("GOVERNANCE", 4),
      ],
      [{ StringEquals: { "s3:object-lock-legal-hold": "ON" } }, legalHoldHeaders("ON"), legalHoldHeaders("OFF")],
    ];
    for (const [condition, refused, allowed] of cases) {
      const { credentials } = await freshUser(allow("s3:*"), deny(condition));
      const put = async (lock: Record<string, string>) =>
        (await send("PUT", `/${bucket}/k`, { body: "x", headers: { ...lock, ...digestOf("x") }, credentials })).status;
      expect([condition, await put(refused), await put(allowed)]).toEqual([condition, 403, 200]);
    }
    const { credentials } = await freshUser(
      allow("s3:*"),
      deny({ NumericGreaterThan: { "s3:object-lock-remaining-retention-days": "10" } }),
    );
    const put = async (days: number) =>
      (await putLock(bucket, "k", "retention", retentionOf("GOVERNANCE", days), { credentials })).status;
    expect([await put(11), await put(10)]).toEqual([403, 200]);
  });

  it("of a completion include the conditions on the lock of its upload", async () => {
    const bucket = await lockedBucket();
    const uploadId = await createUpload(bucket, "k", retentionHeaders("COMPLIANCE", 1));
    const part = await putPart(bucket, "k", uploadId, 1, "x");
    const { credentials } = await freshUser(allow("s3:*"), {
      Effect: "Deny",
      Action: "s3:PutObject",
      Resource: "*",
      Condition: { StringEquals: { "s3:object-lock-mode": "COMPLIANCE" } },
    });
    const body = completionOf([part]);
    expect((await send("POST", `/${bucket}/k?uploadId=${uploadId}`, { body, credentials })).status).toBe(403);
  });

  it("of a bucket without a retention in the request have no key: a Null condition requires a lock", async () => {
    const bucket = await lockedBucket();
    const { credentials } = await freshUser(allow("s3:*"), {
      Effect: "Deny",
      Action: "s3:PutObject",
      Resource: "*",
      Condition: { Null: { "s3:object-lock-mode": "true" } },
    });
    const plain = await send("PUT", `/${bucket}/k`, { body: "x", credentials });
    expect(plain.status).toBe(403);
    const headers = { ...retentionHeaders("GOVERNANCE", 1), ...digestOf("x") };
    expect((await send("PUT", `/${bucket}/k`, { body: "x", headers, credentials })).status).toBe(200);
    await expectS3Error(
      await send(
        "DELETE",
        `/${bucket}/k?versionId=${(await send("HEAD", `/${bucket}/k`)).headers.get("x-amz-version-id")}`,
      ),
      LOCKED,
    );
  });
});

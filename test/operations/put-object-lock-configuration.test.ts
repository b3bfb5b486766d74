import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { lockConfiguration, lockedBucket, setDefaultRetention } from "../support/object-lock.ts";
import { expectUntouched } from "../support/rows.ts";
import { bucketId } from "../support/stored-state.ts";
import { setVersioning, versionedBucket } from "../support/versioning.ts";

const ENABLED = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";

describe("PutObjectLockConfiguration", () => {
  it("enables Object Lock for an existing bucket with versioning, for good", async () => {
    const bucket = await versionedBucket();
    const response = await send("PUT", `/${bucket}?object-lock`, { body: ENABLED });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 1 });
    const body = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?versioning`, { body }), {
        status: 409,
        code: "InvalidBucketState",
        message: /^An Object Lock configuration is present/,
        fields: { BucketName: bucket },
      }),
    );
    await setVersioning(bucket, "Enabled");
  });

  it("keeps Object Lock and versioning enabled even if a statement would disable them", async () => {
    const bucket = await lockedBucket();
    const id = await bucketId(bucket);
    for (const change of ["object_lock = NULL", "versioning = 'Suspended'", "versioning = NULL"]) {
      await env.DB.prepare(`UPDATE buckets SET ${change} WHERE id = ?`).bind(id).run();
      const row = await env.DB.prepare("SELECT versioning, object_lock FROM buckets WHERE id = ?").bind(id).first();
      expect(row).toEqual({ versioning: "Enabled", object_lock: "{}" });
    }
  });

  it("is rejected in a bucket whose versioning is not enabled", async () => {
    const never = await freshBucket();
    const suspended = await versionedBucket();
    await setVersioning(suspended, "Suspended");
    for (const bucket of [never, suspended]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}?object-lock`, { body: ENABLED }), {
          status: 409,
          code: "InvalidBucketState",
          fields: { BucketName: bucket },
        }),
      );
    }
  });

  it("removes the default retention with a document without a rule", async () => {
    const bucket = await lockedBucket();
    await setDefaultRetention(bucket, "<Mode>GOVERNANCE</Mode><Days>1</Days>");
    expect((await send("PUT", `/${bucket}?object-lock`, { body: ENABLED })).status).toBe(200);
    expect(await (await send("GET", `/${bucket}?object-lock`)).text()).not.toContain("<Rule>");
  });

  it("accepts the token that AWS once required", async () => {
    const bucket = await lockedBucket();
    const headers = { "x-amz-bucket-object-lock-token": "token" };
    expect((await send("PUT", `/${bucket}?object-lock`, { body: ENABLED, headers })).status).toBe(200);
  });

  it.each([
    ["zero days", "<Mode>GOVERNANCE</Mode><Days>0</Days>", "InvalidRetentionPeriod"],
    ["negative years", "<Mode>GOVERNANCE</Mode><Years>-1</Years>", "InvalidRetentionPeriod"],
    ["more than 100 years", "<Mode>GOVERNANCE</Mode><Years>101</Years>", "InvalidRetentionPeriod"],
    ["more than 36500 days", "<Mode>COMPLIANCE</Mode><Days>36501</Days>", "InvalidRetentionPeriod"],
    ["a huge number", `<Mode>COMPLIANCE</Mode><Days>${"9".repeat(20)}</Days>`, "InvalidRetentionPeriod"],
    ["days and years", "<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>", "MalformedXML"],
    ["no period", "<Mode>GOVERNANCE</Mode>", "MalformedXML"],
    ["no mode", "<Days>1</Days>", "MalformedXML"],
    ["an unknown mode", "<Mode>abc</Mode><Years>1</Years>", "MalformedXML"],
    ["a mode in lower case", "<Mode>governance</Mode><Years>1</Years>", "MalformedXML"],
    ["a repeated period", "<Mode>GOVERNANCE</Mode><Days>1</Days><Days>2</Days>", "MalformedXML"],
    ["a fraction", "<Mode>GOVERNANCE</Mode><Days>1.5</Days>", "MalformedXML"],
    ["an unknown element", "<Mode>GOVERNANCE</Mode><Days>1</Days><Hours>1</Hours>", "MalformedXML"],
  ])("rejects a default retention with %s", async (_name, retention, code) => {
    const bucket = await lockedBucket();
    const body = lockConfiguration(retention);
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?object-lock`, { body }), { status: 400, code }),
    );
  });

  it.each([
    ["another status", ENABLED.replace("Enabled<", "Disabled<")],
    ["no status", "<ObjectLockConfiguration></ObjectLockConfiguration>"],
    ["a rule without retention", ENABLED.replace("</ObjectLockC", "<Rule></Rule></ObjectLockC")],
    ["another root", "<LockConfiguration/>"],
    ["no document", ""],
  ])("rejects a document with %s", async (_name, body) => {
    const bucket = await lockedBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await send("PUT", `/${bucket}?object-lock`, { body }), { status: 400, code: "MalformedXML" }),
    );
  });
});

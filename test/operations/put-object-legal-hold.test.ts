import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { lockedBucket, NOT_ENABLED, putLock, putLocked } from "../support/object-lock.ts";
import { expectUntouched } from "../support/rows.ts";

const HOLD = "<LegalHold><Status>ON</Status></LegalHold>";

describe("PutObjectLegalHold", () => {
  it("sets and lifts a legal hold of the current version or a named one", async () => {
    const bucket = await lockedBucket();
    const version = await putLocked(bucket, "k", {});
    for (const [query, status] of [
      ["legal-hold", "ON"],
      [`legal-hold&versionId=${version}`, "OFF"],
    ] as const) {
      const response = await putLock(bucket, "k", query, HOLD.replace("ON", status));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expect(response.headers.get("x-amz-version-id")).toBe(version);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, blobCalls: 1 });
      expect(await (await send("GET", `/${bucket}/k?legal-hold`)).text()).toContain(`<Status>${status}</Status>`);
    }
  });

  it.each([
    ["another status", HOLD.replace("ON", "abc")],
    ["a status in lower case", HOLD.replace("ON", "on")],
    ["no status", "<LegalHold/>"],
    ["two states", HOLD.replace("</LegalHold>", "<Status>OFF</Status></LegalHold>")],
    ["another root", "<Retention/>"],
    ["no document", ""],
  ])("rejects a document with %s", async (_name, body) => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", {});
    await expectUntouched(bucket, async () =>
      expectS3Error(await putLock(bucket, "k", "legal-hold", body), { status: 400, code: "MalformedXML" }),
    );
  });

  it("is rejected in a bucket without Object Lock", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await putLock(bucket, "k", "legal-hold", HOLD), NOT_ENABLED),
    );
  });
});

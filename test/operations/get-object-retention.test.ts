import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { lockedBucket, NOT_ENABLED, putLocked, retentionHeaders } from "../support/object-lock.ts";
import { bucketId } from "../support/stored-state.ts";

describe("GetObjectRetention", () => {
  it("returns mode and date, also after the retention has ended", async () => {
    const bucket = await lockedBucket();
    const headers = retentionHeaders("COMPLIANCE", 1);
    await putLocked(bucket, "k", headers);
    const response = await send("GET", `/${bucket}/k?retention`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>COMPLIANCE</Mode><RetainUntilDate>${headers["x-amz-object-lock-retain-until-date"]}</RetainUntilDate></Retention>`,
    );
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, blobCalls: 0 });
    await putLocked(bucket, "old", {});
    await env.DB.prepare(
      "UPDATE objects SET retention_mode = 'COMPLIANCE', retain_until = 1 WHERE bucket_id = ? AND key = 'old'",
    )
      .bind(await bucketId(bucket))
      .run();
    expect(await (await send("GET", `/${bucket}/old?retention`)).text()).toContain("1970-01-01T00:00:00.001Z");
  });

  it("returns its error for a version without a retention, and for a bucket without Object Lock", async () => {
    const bucket = await lockedBucket();
    await putLocked(bucket, "k", {});
    await expectS3Error(await send("GET", `/${bucket}/k?retention`), {
      status: 404,
      code: "NoSuchObjectLockConfiguration",
      fields: { Key: "k" },
    });
    const plain = await freshBucket();
    await putAll(plain, { k: "x" });
    await expectS3Error(await send("GET", `/${plain}/k?retention`), NOT_ENABLED);
  });
});

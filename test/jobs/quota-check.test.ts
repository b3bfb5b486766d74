// The consistency check of quotas, which reads all buckets and so runs with the tests of storage.
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { setQuota, storedOf } from "../support/quotas.ts";
import { bucketId } from "../support/stored-state.ts";

describe("the counters of a quota", () => {
  it("are found wrong by the check, and repaired by RecountBucketQuota", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { a: "12345" });
    await setQuota(bucket, "<MaxBytes>100</MaxBytes>");
    const id = await bucketId(bucket);
    const check = async () => (await (await send("GET", "/?fsck")).text()).includes(`the quota of ${id} counts`);
    expect(await check()).toBe(false);
    await env.DB.prepare("UPDATE bucket_quotas SET bytes = 7 WHERE bucket_id = ?").bind(id).run();
    expect(await check()).toBe(true);
    expect((await send("POST", `/${bucket}?quota`)).status).toBe(204);
    expect(await storedOf(bucket)).toEqual({ State: "Enforced", Bytes: "5", Objects: "1" });
    expect(await check()).toBe(false);
  });
});

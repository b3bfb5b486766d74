import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { setQuota, storedOf } from "../support/quotas.ts";
import { bucketId } from "../support/stored-state.ts";

it("RecountBucketQuota counts a bucket again", async () => {
  const bucket = await freshBucket();
  await putAll(bucket, { a: "123" });
  await setQuota(bucket, "<MaxBytes>100</MaxBytes>");
  await env.DB.prepare("UPDATE bucket_quotas SET bytes = 50, objects = 9 WHERE bucket_id = ?")
    .bind(await bucketId(bucket))
    .run();
  expect((await send("POST", `/${bucket}?quota`)).status).toBe(204);
  expect(await storedOf(bucket)).toEqual({ State: "Enforced", Bytes: "3", Objects: "1" });
});

import { expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { setQuota } from "../support/quotas.ts";

it("DeleteBucketQuota ends the limits", async () => {
  const bucket = await freshBucket();
  await setQuota(bucket, "<MaxObjects>0</MaxObjects>");
  expect((await send("PUT", `/${bucket}/k`, { body: "1" })).status).toBe(403);
  expect((await send("DELETE", `/${bucket}?quota`)).status).toBe(204);
  expect((await send("GET", `/${bucket}?quota`)).status).toBe(404);
  expect((await send("PUT", `/${bucket}/k`, { body: "1" })).status).toBe(200);
});

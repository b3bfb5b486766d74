import { expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

it("GetBucketQuota answers NoSuchQuotaConfiguration for a bucket without a quota", async () => {
  const response = await send("GET", `/${await freshBucket()}?quota`);
  expect(response.status).toBe(404);
  expect(await response.text()).toContain("<Code>NoSuchQuotaConfiguration</Code>");
});

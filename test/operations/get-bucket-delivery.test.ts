import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectUnset } from "../support/unset-configuration.ts";

describe("GetBucketDelivery", () => {
  it("returns the configuration as XML", async () => {
    const bucket = await freshBucket();
    const body = "<DeliveryConfiguration><Prefix>a &amp; b/</Prefix></DeliveryConfiguration>";
    await send("PUT", `/${bucket}?delivery`, { body });
    const response = await send("GET", `/${bucket}?delivery`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<Prefix>a &amp; b/</Prefix><CleanUrls>false</CleanUrls>");
  });

  it("returns its error for existing buckets, and NoSuchBucket for missing ones", async () => {
    await expectUnset("delivery", "NoSuchDeliveryConfiguration");
  });
});

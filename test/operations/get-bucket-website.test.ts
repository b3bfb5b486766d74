import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectUnset } from "../support/unset-configuration.ts";
import { putWebsite, websiteDocument } from "../support/websites.ts";

describe("GetBucketWebsite", () => {
  it("returns the configuration as XML", async () => {
    const bucket = await freshBucket();
    await putWebsite(bucket, websiteDocument());
    const response = await send("GET", `/${bucket}?website`);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(await response.text()).toContain(websiteDocument());
  });

  it("returns its error for existing buckets, and NoSuchBucket for missing ones", async () => {
    await expectUnset("website", "NoSuchWebsiteConfiguration");
  });
});

import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { putPublicAccessBlock } from "../support/policies.ts";
import { expectUnset } from "../support/unset-configuration.ts";

describe("GetPublicAccessBlock", () => {
  it("returns all settings", async () => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "IgnorePublicAcls", "RestrictPublicBuckets");
    const response = await send("GET", `/${bucket}?publicAccessBlock`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(await response.text()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>" +
        "<BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>" +
        "</PublicAccessBlockConfiguration>",
    );
  });

  it("returns its error for existing buckets without settings, and NoSuchBucket for missing ones", async () => {
    await expectUnset("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
  });
});

import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { expectUnset } from "../support/unset-configuration.ts";

describe("GetBucketPolicy", () => {
  it("returns the text exactly as it was put", async () => {
    const bucket = await freshBucket();
    const text = publicReadPolicy(bucket).replace("{", '{\r\n\t "Id" : "caf\\u00e9 é <&> 😀",');
    await putPolicy(bucket, text);
    const response = await send("GET", `/${bucket}?policy`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expectAnswerHeaders(response);
    expect(await response.text()).toBe(text);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("returns its error for existing buckets without a policy, and NoSuchBucket for missing ones", async () => {
    await expectUnset("policy", "NoSuchBucketPolicy");
  });
});

import { describe, expect, it } from "vitest";

import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { publicReadPolicy, putPolicy } from "../support/policies.ts";
import { expectUnset } from "../support/unset-configuration.ts";

describe("GetBucketPolicyStatus", () => {
  it.each([
    ["all callers", '"*"', true],
    ["an account", '{"AWS":"111122223333"}', false],
  ])("reports whether a policy for %s is public", async (_name, principal, isPublic) => {
    const bucket = await freshBucket();
    await putPolicy(bucket, publicReadPolicy(bucket).replace('"*"', principal));
    const response = await send("GET", `/${bucket}?policyStatus`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expect(await response.text()).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<PolicyStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `<IsPublic>${isPublic}</IsPublic></PolicyStatus>`,
    );
  });

  it("returns its error for existing buckets without a policy, and NoSuchBucket for missing ones", async () => {
    await expectUnset("policyStatus", "NoSuchBucketPolicy");
  });
});

import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketRequestPayment", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault("requestPayment", "RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>");
  });
});

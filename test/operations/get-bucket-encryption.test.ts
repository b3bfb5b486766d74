import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketEncryption", () => {
  it("shows what holds by default, for buckets that are there", async () => {
    await expectDefault(
      "encryption",
      "ServerSideEncryptionConfiguration",
      "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>" +
        "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
    );
  });
});

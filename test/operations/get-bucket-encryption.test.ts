import { describe, it } from "vitest";

import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketEncryption", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault(
      "encryption",
      "ServerSideEncryptionConfiguration",
      "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>" +
        "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>",
    );
  });
});

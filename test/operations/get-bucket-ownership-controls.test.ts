import { describe, expect, it } from "vitest";

import { setOwnership } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectDefault } from "../support/unset-configuration.ts";

describe("GetBucketOwnershipControls", () => {
  it("returns the default for existing buckets", async () => {
    await expectDefault(
      "ownershipControls",
      "OwnershipControls",
      "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
    );
  });

  it("returns the ownership that was set", async () => {
    const bucket = await freshBucket();
    for (const ownership of ["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"]) {
      await setOwnership(bucket, ownership);
      const text = await (await send("GET", `/${bucket}?ownershipControls`)).text();
      expect(text).toContain(`<Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule>`);
    }
  });

  it("returns OwnershipControlsNotFoundError once they are deleted", async () => {
    const bucket = await freshBucket();
    await send("DELETE", `/${bucket}?ownershipControls`);
    await expectS3Error(await send("GET", `/${bucket}?ownershipControls`), {
      status: 404,
      code: "OwnershipControlsNotFoundError",
      fields: { BucketName: bucket },
    });
  });

  it("rejects anonymous requests", async () => {
    const response = await deliver(anonymous("GET", `/${await freshBucket()}?ownershipControls`));
    await expectS3Error(response, { status: 403, code: "AccessDenied" });
  });
});

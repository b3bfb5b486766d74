import { it } from "vitest";

import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";

it("GetBucketQueryConfiguration answers NoSuchQueryConfiguration for a bucket without one", async () => {
  const bucket = await freshBucket();
  await expectS3Error(await send("GET", `/${bucket}?queryConfiguration`), {
    status: 404,
    code: "NoSuchQueryConfiguration",
    fields: { BucketName: bucket },
  });
});

import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { putPublicAccessBlock } from "../support/policies.ts";
import { rowsOf, expectUntouched } from "../support/rows.ts";

describe("PutPublicAccessBlock", () => {
  it("replaces all settings; omitted ones are off", async () => {
    const bucket = await freshBucket();
    for (const settings of [["BlockPublicAcls", "BlockPublicPolicy"], ["RestrictPublicBuckets"], []]) {
      const response = await putPublicAccessBlock(bucket, ...settings);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      const shown = await (await send("GET", `/${bucket}?publicAccessBlock`)).text();
      const on = Array.from(shown.matchAll(/<(\w+)>true</g), ([, name]) => name);
      expect(on).toEqual(settings);
    }
  });

  it("stores them in the form that authorization reads", async () => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "IgnorePublicAcls");
    expect((await rowsOf(bucket))["buckets"]?.[0]?.["public_access_block"]).toBe(
      '{"BlockPublicAcls":false,"IgnorePublicAcls":true,"BlockPublicPolicy":false,"RestrictPublicBuckets":false}',
    );
  });

  it("rejects another document, and a wrong digest", async () => {
    const bucket = await freshBucket();
    await putPublicAccessBlock(bucket, "IgnorePublicAcls");
    await expectUntouched(bucket, async () => {
      for (const body of ["", "{}", "<PublicAccessBlock/>"]) {
        await expectS3Error(await send("PUT", `/${bucket}?publicAccessBlock`, { body }), {
          status: 400,
          code: "MalformedXML",
        });
      }
      const [body, md5] = ["<PublicAccessBlockConfiguration/>", md5Base64(utf8("other"))];
      const headers = { "content-md5": md5 };
      await expectS3Error(await send("PUT", `/${bucket}?publicAccessBlock`, { body, headers }), {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5, CalculatedDigest: md5Base64(utf8(body)) },
      });
    });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    const fields = { BucketName: missing };
    await expectS3Error(await putPublicAccessBlock(missing), { status: 404, code: "NoSuchBucket", fields });
    const bucket = await freshBucket();
    const body = "<PublicAccessBlockConfiguration/>";
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?publicAccessBlock`, { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

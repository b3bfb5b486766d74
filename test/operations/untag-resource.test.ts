import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { policyText, putPolicy } from "../support/policies.ts";
import { sendForTags, tagsPath } from "../support/resource-tags.ts";
import { sendTagging, taggingOf, tagsOf } from "../support/tagging.ts";

describe("UntagResource", () => {
  it("deletes the tags with the given keys, and no other", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1", "b c": "2", d: "3" }));
    // Anonymous, as a policy allows: the tests' signer omits duplicate parameters.
    const allowed = { Effect: "Allow", Principal: "*", Action: "s3:UntagResource", Resource: `arn:aws:s3:::${bucket}` };
    expect((await putPolicy(bucket, policyText(allowed))).status).toBe(204);
    const target = `${tagsPath(bucket)}?tagKeys=a&tagKeys=b%20c&tagKeys=none`;
    const response = await deliver(anonymous("DELETE", target, { headers: { "x-amz-account-id": "000000000000" } }));
    expect(response.status).toBe(204);
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual({ d: "3" });
  });

  it("leaves no tag set when it deletes the last tag", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1" }));
    expect((await sendForTags("DELETE", `${tagsPath(bucket)}?tagKeys=a`)).status).toBe(204);
    await expectS3Error(await send("GET", `/${bucket}?tagging`), {
      status: 404,
      code: "NoSuchTagSet",
      fields: { BucketName: bucket },
    });
  });

  it("is rejected without keys, and changes nothing", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1" }));
    const response = await sendForTags("DELETE", tagsPath(bucket));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>InvalidArgument</Code>");
    expect(await tagsOf(`/${bucket}?tagging`)).toEqual({ a: "1" });
  });
});

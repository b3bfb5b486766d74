import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectControlError, sendForTags, tagsPath } from "../support/resource-tags.ts";
import { sendTagging, taggingOf } from "../support/tagging.ts";

const NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/";

describe("ListTagsForResource", () => {
  it("returns the tags of the bucket in its ARN, encoded or literal", async () => {
    const bucket = await freshBucket();
    await sendTagging(`/${bucket}?tagging`, taggingOf({ a: "1", "b c": "" }));
    for (const target of [
      tagsPath(bucket),
      `/v20180820/tags/arn:aws:s3:::${bucket}`,
      `/v20180820/tags/arn:aws-cn:s3:auto:000000000000:${bucket}`,
    ]) {
      const response = await sendForTags("GET", target);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/xml");
      expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0 });
      expect(await response.text()).toBe(
        `<?xml version="1.0" encoding="UTF-8"?>\n<ListTagsForResourceResult xmlns="${NAMESPACE}"><Tags>` +
          "<Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b c</Key><Value/></Tag></Tags></ListTagsForResourceResult>",
      );
    }
  });

  it("returns none without tags", async () => {
    const response = await sendForTags("GET", tagsPath(await freshBucket()));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("<Tags/>");
  });

  it("accepts a host that begins with the account id", async () => {
    const bucket = await freshBucket();
    const response = await sendForTags("GET", tagsPath(bucket), { endpoint: "http://000000000000.s3.example.com" });
    expect(response.status).toBe(200);
  });

  it("returns errors in S3 Control's format", async () => {
    const bucket = await freshBucket();
    await expectControlError(await sendForTags("GET", tagsPath(freshBucketName())), 404, "NoSuchBucket");
    const headers = { "x-amz-account-id": "999999999999" };
    await expectControlError(await sendForTags("GET", tagsPath(bucket), { headers }), 403, "AccessDenied");
    const own = { "x-amz-account-id": "000000000000" };
    await expectControlError(await deliver(anonymous("GET", tagsPath(bucket), { headers: own })), 403, "AccessDenied");
    await expectControlError(await sendForTags("PUT", tagsPath(bucket)), 405, "MethodNotAllowed");
  });

  it.each([
    "arn:aws:s3:::b/k",
    "arn:aws:iam::000000000000:user/u",
    "bucket",
    "",
    "arn:aws:s3:auto:000000000000:accesspoint/a",
  ])("rejects what is no bucket ARN: %j", async (arn) => {
    const response = await sendForTags("GET", `/v20180820/tags/${encodeURIComponent(arn)}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("<Code>InvalidArgument</Code>");
  });

  it("does not match without the account id header: the path is then a key", async () => {
    const body = "<CreateBucketConfiguration><LocationConstraint>auto</LocationConstraint></CreateBucketConfiguration>";
    await send("PUT", "/v20180820", { body });
    const target = "/v20180820/tags/arn%3Aaws%3As3%3A%3A%3Ab";
    expect((await send("PUT", target, { body: "of a key" })).status).toBe(200);
    expect(await (await send("GET", target)).text()).toBe("of a key");
  });
});

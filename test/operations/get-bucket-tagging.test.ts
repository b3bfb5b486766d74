import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";

describe("GetBucketTagging", () => {
  it("returns the tags in the order in which they were set", async () => {
    const bucket = await freshBucket();
    const set = "<TagSet><Tag><Key>b</Key><Value>2</Value></Tag><Tag><Key>a</Key><Value/></Tag></TagSet>";
    const document = `<Tagging>${set}</Tagging>`;
    const headers = { "content-md5": md5Base64(utf8(document)) };
    expect((await send("PUT", `/${bucket}?tagging`, { body: document, headers })).status).toBe(200);
    const response = await send("GET", `/${bucket}?tagging`);
    expect(response.status).toBe(200);
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    expect(await response.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${set}</Tagging>`,
    );
  });

  it("returns NoSuchTagSet without tags", async () => {
    const bucket = await freshBucket();
    await expectS3Error(await send("GET", `/${bucket}?tagging`), {
      status: 404,
      code: "NoSuchTagSet",
      fields: { BucketName: bucket },
    });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("GET", `/${missing}?tagging`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    await expectS3Error(await deliver(anonymous("GET", `/${await freshBucket()}?tagging`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});

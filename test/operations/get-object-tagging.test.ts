import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { tagsOf } from "../support/tagging.ts";
import { deleteKey, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

describe("GetObjectTagging", () => {
  it("returns the tags of the upload in their order", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-tagging": "b=2&a=1%2B1&empty=&alone&sp+ace=%C3%A9" };
    await send("PUT", `/${bucket}/k`, { body: "x", headers });
    const response = await send("GET", `/${bucket}/k?tagging`);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const tags = [
      ["b", "2"],
      ["a", "1+1"],
      ["empty", ""],
      ["alone", ""],
      ["sp ace", "é"],
    ].map(([key, value]) => `<Tag><Key>${key}</Key>${value === "" ? "<Value/>" : `<Value>${value}</Value>`}</Tag>`);
    expect(await response.text()).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${tags.join("")}</TagSet></Tagging>`,
    );
  });

  it("returns an empty set without tags", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    expect(await (await send("GET", `/${bucket}/k?tagging=`)).text()).toContain("<TagSet/>");
  });

  it("returns those of the named version, and names the version", async () => {
    const bucket = await freshBucket();
    await putVersion(bucket, "k", "0", { "x-amz-tagging": "v=0" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "1", { "x-amz-tagging": "v=1" });
    const second = await putVersion(bucket, "k", "2", { "x-amz-tagging": "v=2" });
    for (const [query, versionId, tag] of [
      ["", second, "2"],
      ["&versionId=null", "null", "0"],
      [`&versionId=${first}`, first, "1"],
    ] as const) {
      const target = `/${bucket}/k?tagging${query}`;
      expect((await send("GET", target)).headers.get("x-amz-version-id")).toBe(versionId);
      expect(await tagsOf(target)).toEqual({ v: tag });
    }
  });

  it("rejects delete markers and missing objects", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const marker = await deleteKey(bucket, "k");
    const absent = "0".repeat(32);
    const missing = freshBucketName();
    const cases = [
      [`/${bucket}/k?tagging`, { status: 404, code: "NoSuchKey", fields: { Key: "k" } }],
      [
        `/${bucket}/k?tagging&versionId=${marker}`,
        { status: 405, code: "MethodNotAllowed", fields: { Method: "GET", ResourceType: "DeleteMarker" } },
      ],
      [`/${bucket}/none?tagging`, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [
        `/${bucket}/k?tagging&versionId=${absent}`,
        { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } },
      ],
      [
        `/${bucket}/k?tagging&versionId=x`,
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "versionId", ArgumentValue: "x" } },
      ],
      [`/${missing}/k?tagging`, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
    ] as const;
    for (const [target, expected] of cases) await expectS3Error(await send("GET", target), expected);
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}/k?tagging`)), {
      status: 403,
      code: "AccessDenied",
    });
  });
});

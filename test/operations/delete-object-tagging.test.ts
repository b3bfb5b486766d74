import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";
import { tagsOf } from "../support/tagging.ts";
import { bodyOf, deleteKey, putVersion, versionedBucket } from "../support/versioning.ts";

describe("DeleteObjectTagging", () => {
  it("deletes all tags and nothing else, and returns 204 without a body, also without tags", async () => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-tagging": "a=1&b=2", "x-amz-meta-m": "1" } });
    for (let turn = 0; turn < 2; turn += 1) {
      const response = await send("DELETE", `/${bucket}/k?tagging`);
      expect(response.status).toBe(204);
      expect(response.body).toBeNull();
      expect(response.headers.get("x-amz-version-id")).toBeNull();
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({});
    }
    const head = await send("HEAD", `/${bucket}/k`);
    expect(head.headers.get("x-amz-tagging-count")).toBeNull();
    expect(head.headers.get("x-amz-meta-m")).toBe("1");
    expect(await bodyOf(bucket, "k")).toBe("x");
  });

  it("deletes those of the named version", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1", { "x-amz-tagging": "v=1" });
    const second = await putVersion(bucket, "k", "2", { "x-amz-tagging": "v=2" });
    const response = await send("DELETE", `/${bucket}/k?tagging&versionId=${first}`);
    expect(response.status).toBe(204);
    expect(response.headers.get("x-amz-version-id")).toBe(first);
    expect(await tagsOf(`/${bucket}/k?tagging&versionId=${first}`)).toEqual({});
    expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({ v: "2" });
    expect((await send("DELETE", `/${bucket}/k?tagging`)).headers.get("x-amz-version-id")).toBe(second);
    expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({});
    expect(await bodyOf(bucket, "k", first)).toBe("1");
  });

  it("rejects delete markers and missing objects, and changes nothing", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1", { "x-amz-tagging": "a=1" });
    const marker = await deleteKey(bucket, "k");
    const absent = "0".repeat(32);
    const missing = freshBucketName();
    const cases = [
      [`/${bucket}/k?tagging`, { status: 404, code: "NoSuchKey", fields: { Key: "k" } }],
      [
        `/${bucket}/k?tagging&versionId=${marker}`,
        { status: 405, code: "MethodNotAllowed", fields: { Method: "DELETE", ResourceType: "DeleteMarker" } },
      ],
      [`/${bucket}/none?tagging`, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [
        `/${bucket}/k?tagging&versionId=${absent}`,
        { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } },
      ],
      [
        `/${bucket}/k?tagging&versionId=`,
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "versionId", ArgumentValue: "" } },
      ],
      [`/${missing}/k?tagging`, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
    ] as const;
    await expectUntouched(bucket, async () => {
      for (const [target, expected] of cases) await expectS3Error(await send("DELETE", target), expected);
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("DELETE", `/${bucket}/k?tagging`)), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

import { describe, expect, it } from "vitest";

import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { expectUntouched } from "../support/rows.ts";
import { sendTagging, taggingOf, tagsOf, unsoundTaggings } from "../support/tagging.ts";
import { deleteKey, putVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

describe("PutObjectTagging", () => {
  it("replaces all tags and returns 200 without a body", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key ${index}`, `value ${index}`]));
    for (const tags of [{ a: "1", b: "" }, { "+-=._:/@ é": "+-=._:/@ é", "k k": "v".repeat(256) }, many]) {
      const response = await sendTagging(`/${bucket}/k?tagging`, taggingOf(tags));
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expect(response.headers.get("x-amz-version-id")).toBeNull();
      expectAnswerHeaders(response);
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
      expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual(tags);
      const head = await send("HEAD", `/${bucket}/k`);
      expect(head.headers.get("x-amz-tagging-count")).toBe(String(Object.keys(tags).length));
    }
  });

  it("changes nothing but the tags", async () => {
    const bucket = await freshBucket();
    const headers = { "x-amz-tagging": "a=1", "x-amz-meta-m": "1", "content-type": "text/css" };
    await send("PUT", `/${bucket}/k`, { body: "x", headers });
    const before = { head: await send("HEAD", `/${bucket}/k`), storedState: await storedStateOf(bucket) };
    await sendTagging(`/${bucket}/k?tagging`, taggingOf({ b: "2" }));
    const after = { head: await send("HEAD", `/${bucket}/k`), storedState: await storedStateOf(bucket) };
    expect(after.storedState).toEqual(before.storedState);
    for (const name of ["etag", "last-modified", "content-type", "x-amz-meta-m", "x-amz-tagging-count"]) {
      expect(after.head.headers.get(name), name).toBe(before.head.headers.get(name));
    }
  });

  it("tags the named version and not the others", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "0" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "1");
    const second = await putVersion(bucket, "k", "2");
    for (const versionId of ["null", first, second]) {
      const target = `/${bucket}/k?tagging&versionId=${versionId}`;
      const response = await sendTagging(target, taggingOf({ of: versionId }));
      expect(response.status).toBe(200);
      expect(response.headers.get("x-amz-version-id")).toBe(versionId);
    }
    for (const versionId of ["null", first, second]) {
      expect(await tagsOf(`/${bucket}/k?tagging&versionId=${versionId}`)).toEqual({ of: versionId });
    }
    const response = await sendTagging(`/${bucket}/k?tagging`, taggingOf({ of: "current" }));
    expect(response.headers.get("x-amz-version-id")).toBe(second);
    expect(await tagsOf(`/${bucket}/k?tagging&versionId=${second}`)).toEqual({ of: "current" });
    expect(await tagsOf(`/${bucket}/k?tagging&versionId=${first}`)).toEqual({ of: first });
  });

  it.each(unsoundTaggings("Object"))("rejects %s and changes nothing", async (_name, document, expected) => {
    const bucket = await freshBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-tagging": "was=here" } });
    await expectUntouched(bucket, async () =>
      expectS3Error(await sendTagging(`/${bucket}/k?tagging`, document), expected),
    );
    expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({ was: "here" });
  });

  it("needs no digest", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    expect((await send("PUT", `/${bucket}/k?tagging`, { body: taggingOf({ a: "1" }) })).status).toBe(200);
    expect(await tagsOf(`/${bucket}/k?tagging`)).toEqual({ a: "1" });
  });

  it("rejects delete markers and missing objects, and changes nothing", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const marker = await deleteKey(bucket, "k");
    const absent = "0".repeat(32);
    const body = taggingOf({ a: "1" });
    await expectUntouched(bucket, async () => {
      const current = await sendTagging(`/${bucket}/k?tagging`, body);
      expect(current.headers.get("x-amz-delete-marker")).toBe("true");
      expect(current.headers.get("x-amz-version-id")).toBe(marker);
      await expectS3Error(current, { status: 404, code: "NoSuchKey", fields: { Key: "k" } });
      const byId = await sendTagging(`/${bucket}/k?tagging&versionId=${marker}`, body);
      expect(byId.headers.get("x-amz-delete-marker")).toBe("true");
      expect(byId.headers.get("allow")).toBe("DELETE");
      await expectS3Error(byId, {
        status: 405,
        code: "MethodNotAllowed",
        fields: { Method: "PUT", ResourceType: "DeleteMarker" },
      });
      await expectS3Error(await sendTagging(`/${bucket}/none?tagging`, body), {
        status: 404,
        code: "NoSuchKey",
        fields: { Key: "none" },
      });
      await expectS3Error(await sendTagging(`/${bucket}/k?tagging&versionId=${absent}`, body), {
        status: 404,
        code: "NoSuchVersion",
        fields: { Key: "k", VersionId: absent },
      });
      await expectS3Error(await sendTagging(`/${bucket}/k?tagging&versionId=x`, body), {
        status: 400,
        code: "InvalidArgument",
        message: "Invalid version id specified",
        fields: { ArgumentName: "versionId", ArgumentValue: "x" },
      });
    });
    const missing = freshBucketName();
    await expectS3Error(await sendTagging(`/${missing}/k?tagging`, body), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k?tagging`, { body: taggingOf({}) })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

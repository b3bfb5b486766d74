import { describe, expect, it } from "vitest";

import { aclBucket, grantsOf, PRIVATE, PUBLIC_READ, setOwnership } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { plain, readXml } from "../support/read-xml.ts";
import { deleteKey, putVersion, removeVersion, setVersioning, versionedBucket } from "../support/versioning.ts";

const OWNERS_ACL = {
  Owner: { ID: "000000000000", DisplayName: "000000000000" },
  AccessControlList: {
    Grant: { Grantee: { ID: "000000000000", DisplayName: "000000000000" }, Permission: "FULL_CONTROL" },
  },
};

describe("GetObjectAcl", () => {
  it("returns the version's grants while ACLs are enabled, and again after they were disabled", async () => {
    const bucket = await aclBucket();
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "1", { "x-amz-acl": "public-read" });
    const second = await putVersion(bucket, "k", "2");
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PRIVATE);
    expect(await grantsOf(`${bucket}/k?acl&versionId=${first}`)).toEqual(PUBLIC_READ);
    expect(await grantsOf(`${bucket}/k?acl&versionId=${second}`)).toEqual(PRIVATE);

    await setOwnership(bucket, "BucketOwnerEnforced");
    expect(await grantsOf(`${bucket}/k?acl&versionId=${first}`)).toEqual(PRIVATE);
    await setOwnership(bucket, "BucketOwnerPreferred");
    expect(await grantsOf(`${bucket}/k?acl&versionId=${first}`)).toEqual(PUBLIC_READ);
    // The noncurrent version is current again with its own ACL.
    await removeVersion(bucket, "k", second);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
  });

  it("returns the owner and the default grant: the owner's full control", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const response = await send("GET", `/${bucket}/k?acl`);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
    const root = readXml(await response.text());
    expect(root.name).toBe("AccessControlPolicy");
    expect(plain(root)).toEqual(OWNERS_ACL);
  });

  it("names the version in a versioned bucket", async () => {
    const bucket = await versionedBucket();
    const first = await putVersion(bucket, "k", "1");
    const second = await putVersion(bucket, "k", "2");
    for (const [query, versionId] of [
      ["", second],
      [`&versionId=${first}`, first],
    ] as const) {
      const response = await send("GET", `/${bucket}/k?acl${query}`);
      expect(response.headers.get("x-amz-version-id")).toBe(versionId);
      expect(plain(readXml(await response.text()))).toEqual(OWNERS_ACL);
    }
  });

  it("rejects delete markers: as current with NoSuchKey, by their id with MethodNotAllowed", async () => {
    const bucket = await versionedBucket();
    await putVersion(bucket, "k", "1");
    const marker = await deleteKey(bucket, "k");
    await expectS3Error(await send("GET", `/${bucket}/k?acl`), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "k" },
    });
    const byId = await send("GET", `/${bucket}/k?acl&versionId=${marker}`);
    expect(byId.headers.get("x-amz-delete-marker")).toBe("true");
    await expectS3Error(byId, {
      status: 405,
      code: "MethodNotAllowed",
      fields: { Method: "GET", ResourceType: "DeleteMarker" },
    });
  });

  it("returns the error of a missing bucket, key or version and of a malformed version id", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    const absent = "0".repeat(32);
    const missing = freshBucketName();
    const cases = [
      [`/${missing}/k?acl`, { status: 404, code: "NoSuchBucket", fields: { BucketName: missing } }],
      [`/${bucket}/none?acl`, { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
      [
        `/${bucket}/k?acl&versionId=${absent}`,
        { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } },
      ],
      [
        `/${bucket}/k?acl&versionId=nonsense`,
        {
          status: 400,
          code: "InvalidArgument",
          message: "Invalid version id specified",
          fields: { ArgumentName: "versionId", ArgumentValue: "nonsense" },
        },
      ],
      [
        `/${bucket}/k?acl&versionId=`,
        {
          status: 400,
          code: "InvalidArgument",
          message: "Version id cannot be the empty string",
          fields: { ArgumentName: "versionId", ArgumentValue: "" },
        },
      ],
    ] as const;
    for (const [target, expected] of cases) await expectS3Error(await send("GET", target), expected);
  });

  it("rejects anonymous requests", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    await expectS3Error(await deliver(anonymous("GET", `/${bucket}/k?acl`)), { status: 403, code: "AccessDenied" });
  });
});

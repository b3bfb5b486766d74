import { describe, expect, it } from "vitest";

import {
  ACLS_OFF,
  ALL_USERS,
  AUTHENTICATED_USERS,
  aclBucket,
  aclDocument,
  blockPublicAcls,
  EC2,
  grant,
  grantsOf,
  OWNER,
  PRIVATE,
  PUBLIC_READ,
  setOwnership,
  UNSOUND_ACLS,
} from "../support/acl.ts";
import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { d1With } from "../support/faults.ts";
import { freshBucket, freshBucketName, putAll } from "../support/fresh-bucket.ts";
import { storedStateOf } from "../support/stored-state.ts";
import { expectUntouched } from "../support/rows.ts";
import { deleteKey, putVersion, setVersioning } from "../support/versioning.ts";

const PUBLIC = { "x-amz-acl": "public-read" };
const DOCUMENT = aclDocument([grant(OWNER, "FULL_CONTROL"), grant(ALL_USERS, "READ")]);

/** D1 that runs an action once, just before the ACL is set. */
function beforeUpdate(action: () => Promise<unknown>): D1Database {
  let isDone = false;
  return d1With(async (sql, sendBatch) => {
    if (!isDone && sql.some((text) => text.startsWith("UPDATE objects SET acl"))) {
      isDone = true;
      await action();
    }
    return sendBatch();
  });
}

describe("PutObjectAcl", () => {
  it.each([
    ["private", PRIVATE],
    ["public-read", PUBLIC_READ],
    ["public-read-write", [`${ALL_USERS} READ`, `${ALL_USERS} WRITE`, ...PRIVATE]],
    ["authenticated-read", [`${AUTHENTICATED_USERS} READ`, ...PRIVATE]],
    ["aws-exec-read", [...PRIVATE, `${EC2} READ`]],
    ["bucket-owner-read", [...PRIVATE, `${OWNER} READ`]],
    ["bucket-owner-full-control", PRIVATE],
  ])("sets the canned list %s", async (name, expected) => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: { "x-amz-acl": "public-read-write" } });
    const response = await send("PUT", `/${bucket}/k?acl`, { headers: { "x-amz-acl": name } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expect(response.headers.get("x-amz-version-id")).toBeNull();
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(expected);
  });

  it("sets the grants of headers, of a document, and of a presigned query", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "x" });
    const headers = { "x-amz-grant-read-acp": `uri="${AUTHENTICATED_USERS}"`, "x-amz-grant-read": `id=${OWNER}` };
    expect((await send("PUT", `/${bucket}/k?acl`, { headers })).status).toBe(200);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual([`${AUTHENTICATED_USERS} READ_ACP`, `${OWNER} READ`]);
    expect((await send("PUT", `/${bucket}/k?acl`, { body: DOCUMENT })).status).toBe(200);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
    expect((await deliver(await presigned("PUT", `/${bucket}/k?acl&x-amz-acl=private`))).status).toBe(200);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PRIVATE);
  });

  it("rejects the canned ACL that applies to buckets only", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "x" });
    const headers = { "x-amz-acl": "log-delivery-write" };
    await expectS3Error(await send("PUT", `/${bucket}/k?acl`, { headers }), {
      status: 400,
      code: "InvalidArgument",
      fields: { ArgumentName: "x-amz-acl", ArgumentValue: "log-delivery-write" },
    });
  });

  it("changes nothing but the ACL", async () => {
    const bucket = await aclBucket();
    const headers = { "x-amz-tagging": "a=1", "x-amz-meta-m": "1", "content-type": "text/css" };
    await send("PUT", `/${bucket}/k`, { body: "x", headers });
    const before = { head: await send("HEAD", `/${bucket}/k`), storedState: await storedStateOf(bucket) };
    expect((await send("PUT", `/${bucket}/k?acl`, { headers: PUBLIC })).status).toBe(200);
    const after = { head: await send("HEAD", `/${bucket}/k`), storedState: await storedStateOf(bucket) };
    expect(after.storedState).toEqual(before.storedState);
    for (const name of ["etag", "last-modified", "content-type", "x-amz-meta-m", "x-amz-tagging-count"]) {
      expect(after.head.headers.get(name), name).toBe(before.head.headers.get(name));
    }
  });

  it("sets the ACL of the named version and not of the others", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "0" });
    await setVersioning(bucket, "Enabled");
    const first = await putVersion(bucket, "k", "1");
    const second = await putVersion(bucket, "k", "2");
    const wanted = { null: "public-read", [first]: "authenticated-read", [second]: "bucket-owner-read" };
    for (const [versionId, acl] of Object.entries(wanted)) {
      const headers = { "x-amz-acl": acl };
      const response = await send("PUT", `/${bucket}/k?acl&versionId=${versionId}`, { headers });
      expect(response.status).toBe(200);
      expect(response.headers.get("x-amz-version-id")).toBe(versionId);
    }
    expect(await grantsOf(`${bucket}/k?acl&versionId=null`)).toEqual(PUBLIC_READ);
    expect(await grantsOf(`${bucket}/k?acl&versionId=${first}`)).toEqual([`${AUTHENTICATED_USERS} READ`, ...PRIVATE]);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual([...PRIVATE, `${OWNER} READ`]);
    const response = await send("PUT", `/${bucket}/k?acl`, { headers: { "x-amz-acl": "private" } });
    expect(response.headers.get("x-amz-version-id")).toBe(second);
    expect(await grantsOf(`${bucket}/k?acl&versionId=${second}`)).toEqual(PRIVATE);
    expect(await grantsOf(`${bucket}/k?acl&versionId=null`)).toEqual(PUBLIC_READ);
  });

  it("does not survive an overwrite of the object", async () => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/k`, { body: "1", headers: PUBLIC });
    await putAll(bucket, { k: "2" });
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PRIVATE);
  });

  it("sets the ACL of the new object when a concurrent write replaces it", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "1" });
    const DB = beforeUpdate(() => putAll(bucket, { k: "2" }));
    expect((await send("PUT", `/${bucket}/k?acl`, { headers: PUBLIC }, { DB })).status).toBe(200);
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
    expect(await (await send("GET", `/${bucket}/k`)).text()).toBe("2");
  });

  it("returns NoSuchKey when the version is concurrently deleted", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "1" });
    const DB = beforeUpdate(() => deleteKey(bucket, "k"));
    await expectS3Error(await send("PUT", `/${bucket}/k?acl`, { headers: PUBLIC }, { DB }), {
      status: 404,
      code: "NoSuchKey",
      fields: { Key: "k" },
    });
  });

  it.each(UNSOUND_ACLS)("rejects %s and changes nothing", async (_name, request, expected) => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: PUBLIC });
    await expectUntouched(bucket, async () => expectS3Error(await send("PUT", `/${bucket}/k?acl`, request), expected));
  });

  it("accepts only an ACL equal to the default with BucketOwnerEnforced", async () => {
    const bucket = await freshBucket();
    await putAll(bucket, { k: "x" });
    for (const request of [
      { headers: { "x-amz-acl": "private" } },
      { headers: { "x-amz-acl": "bucket-owner-full-control" } },
      { headers: { "x-amz-grant-full-control": `id="${OWNER}"` } },
      { body: aclDocument([grant(OWNER, "FULL_CONTROL")]) },
    ]) {
      expect((await send("PUT", `/${bucket}/k?acl`, request)).status).toBe(200);
    }
    for (const request of [
      { headers: PUBLIC },
      { headers: { "x-amz-acl": "bucket-owner-read" } },
      { headers: { "x-amz-acl": "aws-exec-read" } },
      { headers: { "x-amz-grant-read": `id="${OWNER}"` } },
      { body: DOCUMENT },
    ]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k?acl`, request), ACLS_OFF),
      );
    }
    await setOwnership(bucket, "BucketOwnerPreferred");
    expect((await send("PUT", `/${bucket}/k?acl`, { headers: PUBLIC })).status).toBe(200);
  });

  it("rejects public ACLs while they are blocked, and accepts others", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "x" });
    await blockPublicAcls(bucket);
    for (const request of [
      { headers: PUBLIC },
      { headers: { "x-amz-acl": "authenticated-read" } },
      { body: DOCUMENT },
    ]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/k?acl`, request), { status: 403, code: "AccessDenied" }),
      );
    }
    const headers = { "x-amz-acl": "bucket-owner-read" };
    expect((await send("PUT", `/${bucket}/k?acl`, { headers })).status).toBe(200);
  });

  it("rejects delete markers, named or current, and missing objects, and changes nothing", async () => {
    const bucket = await aclBucket();
    await setVersioning(bucket, "Enabled");
    await putVersion(bucket, "k", "1");
    const marker = await deleteKey(bucket, "k");
    const absent = "0".repeat(32);
    await expectUntouched(bucket, async () => {
      for (const query of ["", `&versionId=${marker}`]) {
        const response = await send("PUT", `/${bucket}/k?acl${query}`, { headers: PUBLIC });
        expect(response.headers.get("x-amz-delete-marker")).toBe("true");
        expect(response.headers.get("x-amz-version-id")).toBe(marker);
        expect(response.headers.get("allow")).toBe("DELETE");
        await expectS3Error(response, {
          status: 405,
          code: "MethodNotAllowed",
          fields: { Method: "PUT", ResourceType: "DeleteMarker" },
        });
      }
      const cases = [
        ["none?acl", { status: 404, code: "NoSuchKey", fields: { Key: "none" } }],
        [`k?acl&versionId=${absent}`, { status: 404, code: "NoSuchVersion", fields: { Key: "k", VersionId: absent } }],
        [
          "k?acl&versionId=x",
          {
            status: 400,
            code: "InvalidArgument",
            message: "Invalid version id specified",
            fields: { ArgumentName: "versionId", ArgumentValue: "x" },
          },
        ],
      ] as const;
      for (const [target, expected] of cases) {
        await expectS3Error(await send("PUT", `/${bucket}/${target}`, { headers: PUBLIC }), expected);
      }
    });
    const missing = freshBucketName();
    await expectS3Error(await send("PUT", `/${missing}/k?acl`, { headers: PUBLIC }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
  });

  it("rejects anonymous requests", async () => {
    const bucket = await aclBucket();
    await putAll(bucket, { k: "x" });
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}/k?acl`, { headers: PUBLIC })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

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
  LOG_DELIVERY,
  OWNER,
  PRIVATE,
  PUBLIC_READ,
  setOwnership,
  UNSOUND_ACLS,
} from "../support/acl.ts";
import { anonymous, deliver, presigned, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";

const PUBLIC = { "x-amz-acl": "public-read" };
const DOCUMENT = aclDocument([grant(OWNER, "FULL_CONTROL"), grant(ALL_USERS, "READ")]);

describe("PutBucketAcl", () => {
  it.each([
    ["private", PRIVATE],
    ["public-read", PUBLIC_READ],
    ["public-read-write", [`${ALL_USERS} READ`, `${ALL_USERS} WRITE`, ...PRIVATE]],
    ["authenticated-read", [`${AUTHENTICATED_USERS} READ`, ...PRIVATE]],
    ["log-delivery-write", [`${LOG_DELIVERY} WRITE`, `${LOG_DELIVERY} READ_ACP`, ...PRIVATE]],
    ["aws-exec-read", [...PRIVATE, `${EC2} READ`]],
    ["bucket-owner-read", PRIVATE],
    ["bucket-owner-full-control", PRIVATE],
  ])("sets the canned list %s", async (name, expected) => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "public-read-write" } });
    const response = await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": name } });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
    expectAnswerHeaders(response);
    expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1, coordinatorCalls: 0, blobCalls: 0 });
    expect(await grantsOf(`${bucket}?acl`)).toEqual(expected);
  });

  it("sets exactly the grants of the headers", async () => {
    const bucket = await aclBucket();
    const headers = {
      "x-amz-grant-read": `uri="${ALL_USERS}", id="${OWNER}"`,
      "x-amz-grant-write-acp": `uri="${AUTHENTICATED_USERS}"`,
    };
    expect((await send("PUT", `/${bucket}?acl`, { headers })).status).toBe(200);
    expect(await grantsOf(`${bucket}?acl`)).toEqual([
      `${ALL_USERS} READ`,
      `${AUTHENTICATED_USERS} WRITE_ACP`,
      `${OWNER} READ`,
    ]);
  });

  it("sets the ACL of a document, and verifies its digest when there is one", async () => {
    const bucket = await aclBucket();
    expect((await send("PUT", `/${bucket}?acl`, { body: DOCUMENT })).status).toBe(200);
    expect(await grantsOf(`${bucket}?acl`)).toEqual(PUBLIC_READ);
    const empty = aclDocument([]);
    const headers = { "content-md5": md5Base64(utf8(empty)) };
    await expectS3Error(await send("PUT", `/${bucket}?acl`, { body: DOCUMENT, headers }), {
      status: 400,
      code: "BadDigest",
      fields: { ExpectedDigest: md5Base64(utf8(empty)), CalculatedDigest: md5Base64(utf8(DOCUMENT)) },
    });
    expect((await send("PUT", `/${bucket}?acl`, { body: empty, headers })).status).toBe(200);
    expect(await grantsOf(`${bucket}?acl`)).toEqual([]);
  });

  it("accepts the document that GetBucketAcl returns", async () => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "aws-exec-read" } });
    const body = await (await send("GET", `/${bucket}?acl`)).text();
    await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "private" } });
    expect((await send("PUT", `/${bucket}?acl`, { body })).status).toBe(200);
    expect(await (await send("GET", `/${bucket}?acl`)).text()).toBe(body);
  });

  it("accepts an ACL in a presigned query", async () => {
    const bucket = await aclBucket();
    expect((await deliver(await presigned("PUT", `/${bucket}?acl&x-amz-acl=public-read`))).status).toBe(200);
    expect(await grantsOf(`${bucket}?acl`)).toEqual(PUBLIC_READ);
  });

  it.each(UNSOUND_ACLS)("rejects %s and changes nothing", async (_name, request, expected) => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}?acl`, { headers: PUBLIC });
    await expectUntouched(bucket, async () => expectS3Error(await send("PUT", `/${bucket}?acl`, request), expected));
  });

  describe("with BucketOwnerEnforced", () => {
    it("accepts an ACL equal to the default in every form", async () => {
      const bucket = await freshBucket();
      for (const request of [
        { headers: { "x-amz-acl": "private" } },
        { headers: { "x-amz-acl": "bucket-owner-full-control" } },
        { headers: { "x-amz-grant-full-control": `id="${OWNER}"` } },
        { body: aclDocument([grant(OWNER, "FULL_CONTROL")]) },
      ]) {
        expect((await send("PUT", `/${bucket}?acl`, request)).status).toBe(200);
        expect(await grantsOf(`${bucket}?acl`)).toEqual(PRIVATE);
      }
    });

    it("rejects every other ACL, and explains how to enable ACLs", async () => {
      const bucket = await freshBucket();
      for (const request of [
        { headers: PUBLIC },
        { headers: { "x-amz-acl": "authenticated-read" } },
        { headers: { "x-amz-acl": "log-delivery-write" } },
        { headers: { "x-amz-acl": "aws-exec-read" } },
        { headers: { "x-amz-grant-read": `id="${OWNER}"` } },
        { body: DOCUMENT },
      ]) {
        await expectUntouched(bucket, async () =>
          expectS3Error(await send("PUT", `/${bucket}?acl`, request), ACLS_OFF),
        );
      }
    });

    it("accepts them again once they are enabled", async () => {
      const bucket = await freshBucket();
      for (const ownership of ["BucketOwnerPreferred", "ObjectWriter"]) {
        await setOwnership(bucket, ownership);
        expect((await send("PUT", `/${bucket}?acl`, { headers: PUBLIC })).status).toBe(200);
      }
    });
  });

  it("rejects public ACLs while they are blocked, and accepts others", async () => {
    const bucket = await aclBucket();
    await blockPublicAcls(bucket);
    for (const request of [
      { headers: PUBLIC },
      { headers: { "x-amz-acl": "authenticated-read" } },
      { headers: { "x-amz-grant-read-acp": `uri="${ALL_USERS}"` } },
      { body: DOCUMENT },
    ]) {
      await expectUntouched(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}?acl`, request), { status: 403, code: "AccessDenied" }),
      );
    }
    for (const acl of ["private", "log-delivery-write"]) {
      expect((await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": acl } })).status).toBe(200);
    }
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await send("PUT", `/${missing}?acl`, { headers: PUBLIC }), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await aclBucket();
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?acl`, { headers: PUBLIC })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

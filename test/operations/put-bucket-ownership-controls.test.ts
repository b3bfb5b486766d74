import { describe, expect, it } from "vitest";

import { ACLS_OFF, aclBucket, grantsOf, PRIVATE, PUBLIC_READ, sendOwnership, setOwnership } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { md5Base64, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { expectUntouched } from "../support/rows.ts";

const PUBLIC = { "x-amz-acl": "public-read" };

describe("PutBucketOwnershipControls", () => {
  it("enables and disables ACLs for the bucket and its objects", async () => {
    const bucket = await freshBucket();
    for (const ownership of ["ObjectWriter", "BucketOwnerPreferred"]) {
      const response = await sendOwnership(bucket, ownership);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      expect(costOf(response)).toMatchObject({ roundTrips: 2, rowsWritten: 1 });
      for (const target of [`/${bucket}?acl`, `/${bucket}/k`]) {
        expect((await send("PUT", target, { headers: PUBLIC })).status).toBe(200);
      }
      expect((await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "private" } })).status).toBe(200);
      await setOwnership(bucket, "BucketOwnerEnforced");
      for (const target of [`/${bucket}?acl`, `/${bucket}/k`]) {
        await expectS3Error(await send("PUT", target, { headers: PUBLIC }), ACLS_OFF);
      }
    }
  });

  it("keeps the ACLs of objects while they are disabled", async () => {
    const bucket = await aclBucket();
    await send("PUT", `/${bucket}/k`, { body: "x", headers: PUBLIC });
    await setOwnership(bucket, "BucketOwnerEnforced");
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PRIVATE);
    await setOwnership(bucket, "ObjectWriter");
    expect(await grantsOf(`${bucket}/k?acl`)).toEqual(PUBLIC_READ);
  });

  it.each(["public-read", "authenticated-read", "log-delivery-write", "aws-exec-read"])(
    "does not disable ACLs for a bucket whose own ACL is %s",
    async (acl) => {
      const bucket = await aclBucket();
      await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": acl } });
      await expectUntouched(bucket, async () =>
        expectS3Error(await sendOwnership(bucket, "BucketOwnerEnforced"), {
          status: 400,
          code: "InvalidBucketAclWithObjectOwnership",
          message: "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
          fields: { BucketName: bucket },
        }),
      );
      await setOwnership(bucket, "BucketOwnerPreferred");
      await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "private" } });
      await setOwnership(bucket, "BucketOwnerEnforced");
    },
  );

  it("rejects a document without exactly one rule, and a wrong digest, and changes nothing", async () => {
    const bucket = await aclBucket();
    const rule = "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>";
    await expectUntouched(bucket, async () => {
      for (const body of [
        "",
        "ObjectWriter",
        "<OwnershipControls/>",
        `<OwnershipControls>${rule}${rule}</OwnershipControls>`,
      ]) {
        const response = await send("PUT", `/${bucket}?ownershipControls`, { body });
        await expectS3Error(response, { status: 400, code: "MalformedXML" });
      }
      await expectS3Error(await sendOwnership(bucket, "AnyOwner"), { status: 400, code: "MalformedXML" });
      const headers = { "content-md5": md5Base64(utf8("")) };
      const body = `<OwnershipControls>${rule}</OwnershipControls>`;
      await expectS3Error(await send("PUT", `/${bucket}?ownershipControls`, { body, headers }), {
        status: 400,
        code: "BadDigest",
        fields: { ExpectedDigest: md5Base64(utf8("")), CalculatedDigest: md5Base64(utf8(body)) },
      });
    });
  });

  it("returns NoSuchBucket for a missing bucket, and rejects anonymous requests", async () => {
    const missing = freshBucketName();
    await expectS3Error(await sendOwnership(missing, "ObjectWriter"), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: missing },
    });
    const bucket = await freshBucket();
    const body = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    await expectUntouched(bucket, async () =>
      expectS3Error(await deliver(anonymous("PUT", `/${bucket}?ownershipControls`, { body })), {
        status: 403,
        code: "AccessDenied",
      }),
    );
  });
});

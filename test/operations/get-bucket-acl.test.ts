import { describe, expect, it } from "vitest";

import { ALL_USERS, aclBucket, grantsOf, OWNER, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { anonymous, deliver, send } from "../support/client.ts";
import { costOf } from "../support/cost.ts";
import { expectAnswerHeaders, expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket, freshBucketName } from "../support/fresh-bucket.ts";
import { plain, readXml } from "../support/read-xml.ts";

describe("GetBucketAcl", () => {
  it("returns the owner and the default grant: the owner's full control", async () => {
    const response = await send("GET", `/${await freshBucket()}?acl`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/xml");
    expectAnswerHeaders(response);
    const text = await response.text();
    const root = readXml(text);
    expect(root.name).toBe("AccessControlPolicy");
    expect(root.attributes).toEqual({ xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" });
    expect(plain(root)).toEqual({
      Owner: { ID: OWNER, DisplayName: OWNER },
      AccessControlList: {
        Grant: { Grantee: { ID: OWNER, DisplayName: OWNER }, Permission: "FULL_CONTROL" },
      },
    });
    expect(text).toContain('<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">');
  });

  it("returns the grants of the bucket's ACL when ACLs are enabled", async () => {
    const bucket = await aclBucket();
    expect(await grantsOf(`${bucket}?acl`)).toEqual(PRIVATE);
    await send("PUT", `/${bucket}?acl`, { headers: { "x-amz-acl": "public-read" } });
    expect(await grantsOf(`${bucket}?acl`)).toEqual(PUBLIC_READ);
    expect(await (await send("GET", `/${bucket}?acl`)).text()).toContain(
      `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>${ALL_USERS}</URI></Grantee>`,
    );
  });

  it("costs one round trip and writes nothing", async () => {
    const response = await send("GET", `/${await freshBucket()}?acl=`);
    expect(costOf(response)).toMatchObject({ roundTrips: 1, rowsWritten: 0, coordinatorCalls: 0, blobCalls: 0 });
  });

  it("returns NoSuchBucket for a missing bucket", async () => {
    const name = freshBucketName();
    await expectS3Error(await send("GET", `/${name}?acl`), {
      status: 404,
      code: "NoSuchBucket",
      fields: { BucketName: name },
    });
  });

  it("rejects anonymous requests and another expected owner", async () => {
    const name = await freshBucket();
    await expectS3Error(await deliver(anonymous("GET", `/${name}?acl`)), { status: 403, code: "AccessDenied" });
    const headers = { "x-amz-expected-bucket-owner": "111111111111" };
    await expectS3Error(await send("GET", `/${name}?acl`, { headers }), { status: 403, code: "AccessDenied" });
  });
});

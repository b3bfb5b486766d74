// CreateBucket's x-amz-object-ownership and ACL headers.
import { describe, expect, it } from "vitest";

import { ALL_USERS, AUTHENTICATED_USERS, grantsOf, OWNER, PRIVATE, PUBLIC_READ } from "../support/acl.ts";
import { send } from "../support/client.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucketName } from "../support/fresh-bucket.ts";
import { exists, expectRefused } from "./create-bucket-fixture.ts";

describe("CreateBucket", () => {
  describe("ownership and ACLs", () => {
    async function ownershipOf(name: string): Promise<string> {
      const text = await (await send("GET", `/${name}?ownershipControls`)).text();
      return /<ObjectOwnership>(\w+)</.exec(text)?.[1] ?? text;
    }

    it("accepts ACLs equal to the default while ACLs are disabled", async () => {
      for (const headers of [
        { "x-amz-acl": "private" },
        { "x-amz-acl": "bucket-owner-full-control" },
        { "x-amz-acl": "bucket-owner-read" },
        { "x-amz-grant-full-control": `id="${OWNER}"` },
      ]) {
        const name = freshBucketName();
        expect((await send("PUT", `/${name}`, { headers })).status).toBe(200);
        expect(await grantsOf(`${name}?acl`)).toEqual(PRIVATE);
      }
    });

    it.each([
      { "x-amz-acl": "public-read" },
      { "x-amz-acl": "public-read", "x-amz-object-ownership": "BucketOwnerEnforced" },
      { "x-amz-grant-read": `uri="${ALL_USERS}"` },
    ])("rejects other ACLs while they are disabled: %j", async (headers) => {
      const name = freshBucketName();
      await expectS3Error(await send("PUT", `/${name}`, { headers }), {
        status: 400,
        code: "InvalidBucketAclWithObjectOwnership",
        message: "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        fields: { BucketName: name },
      });
      expect(await exists(name)).toBe(false);
    });

    it("accepts an ownership, and an ACL with it", async () => {
      const name = freshBucketName();
      const headers = { "x-amz-object-ownership": "BucketOwnerPreferred", "x-amz-acl": "public-read" };
      expect((await send("PUT", `/${name}`, { headers })).status).toBe(200);
      expect(await ownershipOf(name)).toBe("BucketOwnerPreferred");
      expect(await grantsOf(`${name}?acl`)).toEqual(PUBLIC_READ);

      const other = freshBucketName();
      const grants = { "x-amz-object-ownership": "ObjectWriter", "x-amz-grant-read": `uri="${AUTHENTICATED_USERS}"` };
      expect((await send("PUT", `/${other}`, { headers: grants })).status).toBe(200);
      expect(await ownershipOf(other)).toBe("ObjectWriter");
      expect(await grantsOf(`${other}?acl`)).toEqual([`${AUTHENTICATED_USERS} READ`]);
    });

    it("uses the ownership of the setting by default", async () => {
      const cases = [
        [undefined, {}, "BucketOwnerEnforced"],
        ["ObjectWriter", {}, "ObjectWriter"],
        ["BucketOwnerPreferred", { "x-amz-acl": "public-read" }, "BucketOwnerPreferred"],
        ["ObjectWriter", { "x-amz-object-ownership": "BucketOwnerEnforced" }, "BucketOwnerEnforced"],
        ["BucketOwnerEnforced", { "x-amz-object-ownership": "ObjectWriter" }, "ObjectWriter"],
        ["Everyone", {}, "BucketOwnerEnforced"],
      ] as const;
      for (const [setting, headers, expected] of cases) {
        const name = freshBucketName();
        const scope = setting === undefined ? {} : { DEFAULT_OBJECT_OWNERSHIP: setting };
        expect((await send("PUT", `/${name}`, { headers }, scope)).status).toBe(200);
        expect(await ownershipOf(name)).toBe(expected);
      }
    });

    it.each([
      [
        { "x-amz-object-ownership": "Everyone" },
        {
          status: 400,
          code: "InvalidArgument",
          message: "Invalid x-amz-object-ownership header: Everyone",
          fields: { ArgumentName: "x-amz-object-ownership" },
        },
      ],
      [
        { "x-amz-acl": "all-callers" },
        { status: 400, code: "InvalidArgument", fields: { ArgumentName: "x-amz-acl", ArgumentValue: "all-callers" } },
      ],
      [
        { "x-amz-grant-read": 'uri="http://acs.amazonaws.com/groups/AllUsers"' },
        {
          status: 400,
          code: "InvalidArgument",
          message: "Invalid group uri",
          fields: { ArgumentName: "uri", ArgumentValue: "http://acs.amazonaws.com/groups/AllUsers" },
        },
      ],
    ])("is refused for headers that mean nothing: %j", async (headers, expected) =>
      expectRefused(expected, { headers }),
    );
  });
});

import { describe, expect, it } from "vitest";

import { readAclHeaders, type AclTarget } from "../../../src/protocol/acl/acl-headers.ts";
import { expectQuick } from "../../support/quick.ts";
import { expectRefusal, presignedPutWith, putWith } from "./support.ts";

const OWNER = "000000000000";
const GROUPS = "http://acs.amazonaws.com/groups";

/** The grants of headers, or undefined when they request no ACL. */
function granted(headers: Readonly<Record<string, string>>, target: AclTarget = "object"): string[] | undefined {
  const acl = readAclHeaders(putWith(headers), OWNER, target);
  if (acl !== undefined) expect(acl.ownerId).toBe(OWNER);
  return acl?.grants.map(({ grantee, permission }) => `${grantee} ${permission}`);
}

const OWNERS = "owner FULL_CONTROL";

describe("a canned ACL", () => {
  it.each([
    ["private", []],
    ["public-read", ["AllUsers READ"]],
    ["public-read-write", ["AllUsers READ", "AllUsers WRITE"]],
    ["authenticated-read", ["AuthenticatedUsers READ"]],
    ["aws-exec-read", ["EC2 READ"]],
  ])("of buckets and objects alike: %s", (name, expected) => {
    for (const target of ["bucket", "object"] as const) {
      expect(granted({ "x-amz-acl": name }, target)).toEqual([OWNERS, ...expected]);
    }
  });

  it("of objects only: the rights of the bucket owner", () => {
    expect(granted({ "x-amz-acl": "bucket-owner-full-control" })).toEqual([OWNERS]);
    expect(granted({ "x-amz-acl": "bucket-owner-read" })).toEqual([OWNERS, "owner READ"]);
    for (const name of ["bucket-owner-full-control", "bucket-owner-read"]) {
      expect(granted({ "x-amz-acl": name }, "bucket")).toEqual([OWNERS]);
    }
  });

  it("of buckets only: log delivery", () => {
    const headers = { "x-amz-acl": "log-delivery-write" };
    expect(granted(headers, "bucket")).toEqual([OWNERS, "LogDelivery WRITE", "LogDelivery READ_ACP"]);
    expectRefusal(() => granted(headers), "InvalidArgument", 400, {
      fields: { ArgumentName: "x-amz-acl", ArgumentValue: "log-delivery-write" },
    });
  });

  it.each(["", "Private", "public", "private, private", "__proto__", "constructor"])("is rejected: %j", (name) => {
    for (const target of ["bucket", "object"] as const) {
      expectRefusal(() => granted({ "x-amz-acl": name }, target), "InvalidArgument", 400, {
        fields: { ArgumentName: "x-amz-acl", ArgumentValue: name },
      });
    }
  });

  it("can be presigned", () => {
    const acl = readAclHeaders(presignedPutWith("X-Amz-Acl=public-read"), OWNER, "object");
    expect(acl?.grants).toHaveLength(2);
  });
});

describe("grants in headers", () => {
  it.each([
    ["x-amz-grant-read", "READ"],
    ["x-amz-grant-write", "WRITE"],
    ["x-amz-grant-read-acp", "READ_ACP"],
    ["x-amz-grant-write-acp", "WRITE_ACP"],
    ["x-amz-grant-full-control", "FULL_CONTROL"],
  ])("grant by %s %s, and nothing to the owner", (header, permission) => {
    expect(granted({ [header]: `uri="${GROUPS}/global/AllUsers"` })).toEqual([`AllUsers ${permission}`]);
    const query = `${header}=${encodeURIComponent(`id="${OWNER}"`)}`;
    const acl = readAclHeaders(presignedPutWith(query), OWNER, "object");
    expect(acl?.grants).toEqual([{ grantee: "owner", permission }]);
  });

  it("name several grantees, in quotes or without, of every kind", () => {
    expect(
      granted({
        "x-amz-grant-read": `id="${OWNER}", uri="${GROUPS}/global/AuthenticatedUsers",id=${OWNER}`,
        "x-amz-grant-write": ` URI = ${GROUPS}/s3/LogDelivery `,
      }),
    ).toEqual(["owner READ", "AuthenticatedUsers READ", "owner READ", "LogDelivery WRITE"]);
  });

  it.each([
    ["id", "111111111111", "Invalid id"],
    ["id", "", "Invalid id"],
    ["uri", `${GROUPS}/global/allusers`, "Invalid group uri"],
    ["uri", "AllUsers", "Invalid group uri"],
    ["uri", "", "Invalid group uri"],
  ])("are rejected for unknown grantees: %s=%j", (kind, value, message) => {
    for (const text of [`${kind}="${value}"`, `id="${OWNER}",${kind}=${value}`]) {
      expectRefusal(() => granted({ "x-amz-grant-read": text }), "InvalidArgument", 400, {
        message,
        fields: { ArgumentName: kind, ArgumentValue: value },
      });
    }
  });

  it("are rejected for an email address, which no account has", () => {
    const headers = { "x-amz-grant-read": 'emailAddress="a@example.com"' };
    expectRefusal(() => granted(headers), "UnresolvableGrantByEmailAddress", 400);
  });

  it.each(["", OWNER, `"${OWNER}"`, `name="${OWNER}"`, `="${OWNER}"`, "id", "__proto__=1"])(
    "are rejected when malformed: %j",
    (text) =>
      expectRefusal(() => granted({ "x-amz-grant-write-acp": text }), "InvalidArgument", 400, {
        message: "Argument format not recognized",
        fields: { ArgumentName: "x-amz-grant-write-acp", ArgumentValue: text },
      }),
  );

  it("are at most a hundred", () => {
    const headers = (last: string) => ({
      "x-amz-grant-read": Array.from({ length: 99 }, () => `id=${OWNER}`).join(","),
      "x-amz-grant-write": last,
    });
    expect(granted(headers(`id=${OWNER}`))).toHaveLength(100);
    expectRefusal(() => granted(headers(`id=${OWNER},id=${OWNER}`)), "InvalidRequest", 400);
  });

  it("are rejected with a canned ACL", () =>
    expectRefusal(
      () => granted({ "x-amz-acl": "private", "x-amz-grant-read": `id="${OWNER}"` }),
      "InvalidRequest",
      400,
      { message: "Specifying both Canned ACLs and Header Grants is not allowed" },
    ));

  it("are parsed in linear time", () => {
    for (const text of [`id=${" ".repeat(16_000)}"`, "=".repeat(16_000), '"'.repeat(16_000)]) {
      expectQuick(() => {
        expectRefusal(() => granted({ "x-amz-grant-read": text }), "InvalidArgument", 400);
      });
    }
  });
});

it("requests no ACL without any of these headers", () => {
  expect(granted({})).toBeUndefined();
  expect(granted({ "x-amz-meta-acl": "private" })).toBeUndefined();
});

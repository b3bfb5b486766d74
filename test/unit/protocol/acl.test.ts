import { describe, expect, it } from "vitest";

import {
  aclText,
  isOwnerOnlyAcl,
  isGranted,
  isPublicAcl,
  parseAcl,
  type Acl,
  type AclPermission,
  type Grantee,
} from "../../../src/protocol/acl/acl.ts";

const OWNER = "000000000000";
const PRIVATE: Acl = { ownerId: OWNER, grants: [{ grantee: "owner", permission: "FULL_CONTROL" }] };
const PERMISSIONS = ["READ", "WRITE", "READ_ACP", "WRITE_ACP"] as const;

function granting(...grants: readonly (readonly [Grantee, AclPermission])[]): Acl {
  return { ownerId: OWNER, grants: grants.map(([grantee, permission]) => ({ grantee, permission })) };
}

describe("a list in its stored form", () => {
  it("is null for a private ACL, and null is private", () => {
    expect(aclText(PRIVATE)).toBeUndefined();
    for (const nothing of [null, undefined]) expect(parseAcl(nothing, OWNER)).toEqual(PRIVATE);
  });

  it.each([
    granting(),
    granting(["owner", "READ"]),
    granting(["owner", "FULL_CONTROL"], ["AllUsers", "READ"]),
    granting(["owner", "FULL_CONTROL"], ["owner", "FULL_CONTROL"]),
    granting(["AuthenticatedUsers", "WRITE"], ["LogDelivery", "READ_ACP"], ["EC2", "FULL_CONTROL"]),
  ])("round-trips: %j", (acl) => {
    const text = aclText(acl);
    expect(typeof text).toBe("string");
    expect(parseAcl(text, OWNER)).toEqual(acl);
  });

  it("belongs to the owner that it is read for", () => {
    expect(parseAcl(aclText(granting(["owner", "READ"])), "1").ownerId).toBe("1");
  });
});

describe("a private ACL", () => {
  it.each([
    [PRIVATE, true],
    [granting(), true],
    [granting(["owner", "READ"]), false],
    [granting(["owner", "FULL_CONTROL"], ["owner", "READ"]), false],
    [granting(["owner", "FULL_CONTROL"], ["EC2", "READ"]), false],
    [granting(["AllUsers", "FULL_CONTROL"]), false],
  ])("grants full control to the owner and nothing else: %j %s", (acl, expected) =>
    expect(isOwnerOnlyAcl(acl)).toBe(expected),
  );
});

describe("a public ACL", () => {
  it.each([
    ["AllUsers", true],
    ["AuthenticatedUsers", true],
    ["LogDelivery", false],
    ["EC2", false],
    ["owner", false],
  ] as const)("grants anything to all users: to %s %s", (grantee, expected) => {
    for (const permission of [...PERMISSIONS, "FULL_CONTROL"] as const) {
      expect(isPublicAcl(granting(["owner", "FULL_CONTROL"], [grantee, permission]))).toBe(expected);
    }
  });
});

describe("a grant", () => {
  const anonymous = { isAnonymous: true, accountId: "" };
  const user = { isAnonymous: false, accountId: OWNER };
  const otherAccount = { isAnonymous: false, accountId: "111111111111" };

  it("to all users applies to every caller, and only what it names", () => {
    for (const granted of PERMISSIONS) {
      for (const asked of PERMISSIONS) {
        for (const requestPrincipal of [anonymous, user, otherAccount]) {
          expect(isGranted(granting(["AllUsers", granted]), requestPrincipal, asked, false)).toBe(granted === asked);
        }
      }
    }
  });

  it("to authenticated users does not apply to anonymous callers", () => {
    const acl = granting(["AuthenticatedUsers", "READ"]);
    expect(isGranted(acl, anonymous, "READ", false)).toBe(false);
    for (const requestPrincipal of [user, otherAccount])
      expect(isGranted(acl, requestPrincipal, "READ", false)).toBe(true);
  });

  it("of full control covers everything", () => {
    for (const permission of PERMISSIONS) {
      expect(isGranted(granting(["AllUsers", "FULL_CONTROL"]), anonymous, permission, false)).toBe(true);
    }
  });

  it("to the owner does not apply to the owner's users, nor to anyone what others have", () => {
    const acl = granting(["owner", "FULL_CONTROL"], ["LogDelivery", "FULL_CONTROL"], ["EC2", "FULL_CONTROL"]);
    for (const requestPrincipal of [anonymous, user, otherAccount])
      expect(isGranted(acl, requestPrincipal, "READ", false)).toBe(false);
  });

  it("to the public is void while public ACLs are ignored", () => {
    const acl = granting(["AllUsers", "FULL_CONTROL"], ["AuthenticatedUsers", "FULL_CONTROL"]);
    for (const requestPrincipal of [anonymous, user])
      expect(isGranted(acl, requestPrincipal, "READ", true)).toBe(false);
  });
});

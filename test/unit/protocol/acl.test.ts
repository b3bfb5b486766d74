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
  it("is nothing where it is private, and private where nothing is kept", () => {
    expect(aclText(PRIVATE)).toBeUndefined();
    for (const nothing of [null, undefined]) expect(parseAcl(nothing, OWNER)).toEqual(PRIVATE);
  });

  it.each([
    granting(),
    granting(["owner", "READ"]),
    granting(["owner", "FULL_CONTROL"], ["AllUsers", "READ"]),
    granting(["owner", "FULL_CONTROL"], ["owner", "FULL_CONTROL"]),
    granting(["AuthenticatedUsers", "WRITE"], ["LogDelivery", "READ_ACP"], ["EC2", "FULL_CONTROL"]),
  ])("is read as it was written: %j", (acl) => {
    const text = aclText(acl);
    expect(typeof text).toBe("string");
    expect(parseAcl(text, OWNER)).toEqual(acl);
  });

  it("belongs to whom it is read for", () => {
    expect(parseAcl(aclText(granting(["owner", "READ"])), "1").ownerId).toBe("1");
  });
});

describe("a list that gives to its owner alone", () => {
  it.each([
    [PRIVATE, true],
    [granting(), true],
    [granting(["owner", "READ"]), false],
    [granting(["owner", "FULL_CONTROL"], ["owner", "READ"]), false],
    [granting(["owner", "FULL_CONTROL"], ["EC2", "READ"]), false],
    [granting(["AllUsers", "FULL_CONTROL"]), false],
  ])("gives full control and nothing else: %j %s", (acl, expected) => expect(isOwnerOnlyAcl(acl)).toBe(expected));
});

describe("a public list", () => {
  it.each([
    ["AllUsers", true],
    ["AuthenticatedUsers", true],
    ["LogDelivery", false],
    ["EC2", false],
    ["owner", false],
  ] as const)("is one that grants anything to everybody: to %s %s", (grantee, expected) => {
    for (const permission of [...PERMISSIONS, "FULL_CONTROL"] as const) {
      expect(isPublicAcl(granting(["owner", "FULL_CONTROL"], [grantee, permission]))).toBe(expected);
    }
  });
});

describe("what is granted", () => {
  const anonymous = { isAnonymous: true, accountId: "" };
  const user = { isAnonymous: false, accountId: OWNER };
  const otherAccount = { isAnonymous: false, accountId: "111111111111" };

  it("to everybody is granted to whoever asks, and nothing besides", () => {
    for (const granted of PERMISSIONS) {
      for (const asked of PERMISSIONS) {
        for (const requestPrincipal of [anonymous, user, otherAccount]) {
          expect(isGranted(granting(["AllUsers", granted]), requestPrincipal, asked, false)).toBe(granted === asked);
        }
      }
    }
  });

  it("to those who sign is not granted to the anonymous", () => {
    const acl = granting(["AuthenticatedUsers", "READ"]);
    expect(isGranted(acl, anonymous, "READ", false)).toBe(false);
    for (const requestPrincipal of [user, otherAccount])
      expect(isGranted(acl, requestPrincipal, "READ", false)).toBe(true);
  });

  it("as full control is everything", () => {
    for (const permission of PERMISSIONS) {
      expect(isGranted(granting(["AllUsers", "FULL_CONTROL"]), anonymous, permission, false)).toBe(true);
    }
  });

  it("to the owner is not granted to the owner's users, and no principal has another's grants", () => {
    const acl = granting(["owner", "FULL_CONTROL"], ["LogDelivery", "FULL_CONTROL"], ["EC2", "FULL_CONTROL"]);
    for (const requestPrincipal of [anonymous, user, otherAccount])
      expect(isGranted(acl, requestPrincipal, "READ", false)).toBe(false);
  });

  it("to the public is void where that is ignored", () => {
    const acl = granting(["AllUsers", "FULL_CONTROL"], ["AuthenticatedUsers", "FULL_CONTROL"]);
    for (const requestPrincipal of [anonymous, user])
      expect(isGranted(acl, requestPrincipal, "READ", true)).toBe(false);
  });
});

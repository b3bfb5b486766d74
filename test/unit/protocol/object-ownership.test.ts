import { describe, expect, it } from "vitest";

import {
  areAclsEnabled,
  DELETED_OWNERSHIP,
  ownershipOf,
  ownershipText,
} from "../../../src/protocol/acl/object-ownership.ts";
import { parseOwnershipControls, readObjectOwnership } from "../../../src/protocol/acl/ownership-controls.ts";
import { expectRefusal, presignedPutWith, putWith } from "./support.ts";

const OWNERSHIPS = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] as const;

function parse(text: string): string {
  return parseOwnershipControls(new TextEncoder().encode(text));
}

function rule(ownership: string): string {
  return `<Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule>`;
}

describe("an ownership", () => {
  it("round-trips through its stored form, which is empty for the default", () => {
    for (const ownership of OWNERSHIPS) expect(ownershipOf(ownershipText(ownership))).toBe(ownership);
    expect(ownershipText("BucketOwnerEnforced")).toBeNull();
    expect(ownershipOf(DELETED_OWNERSHIP)).toBeUndefined();
  });

  it("disables ACLs only for BucketOwnerEnforced", () => {
    const kept = [null, "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter", DELETED_OWNERSHIP];
    expect(kept.map(areAclsEnabled)).toEqual([false, false, true, true, true]);
  });

  it("can be set by a header, presigned or not", () => {
    for (const ownership of OWNERSHIPS) {
      expect(readObjectOwnership(putWith({ "x-amz-object-ownership": ownership }))).toBe(ownership);
      expect(readObjectOwnership(presignedPutWith(`x-amz-object-ownership=${ownership}`))).toBe(ownership);
    }
    expect(readObjectOwnership(putWith({}))).toBeUndefined();
  });

  it.each(["", "none", "objectwriter", "__proto__"])("is rejected in a header: %j", (value) =>
    expectRefusal(() => readObjectOwnership(putWith({ "x-amz-object-ownership": value })), "InvalidArgument", 400, {
      fields: { ArgumentName: "x-amz-object-ownership" },
      message: `Invalid x-amz-object-ownership header: ${value}`,
    }),
  );

  it("is the single rule of a document", () => {
    for (const ownership of OWNERSHIPS) {
      expect(parse(`<OwnershipControls>${rule(ownership)}</OwnershipControls>`)).toBe(ownership);
    }
    expect(parse(`<OwnershipControls xmlns="urn:x">${rule(" ObjectWriter\n")}</OwnershipControls>`)).toBe(
      "ObjectWriter",
    );
  });

  it.each([
    "",
    "ObjectWriter",
    "<OwnershipControls/>",
    "<OwnershipControls><Rule/></OwnershipControls>",
    `<OwnershipControls>${rule("none")}</OwnershipControls>`,
    `<OwnershipControls>${rule("")}</OwnershipControls>`,
    `<OwnershipControls>${rule("ObjectWriter")}${rule("ObjectWriter")}</OwnershipControls>`,
    `<OwnershipControls>${rule("ObjectWriter")}<Other/></OwnershipControls>`,
    `<Ownership>${rule("ObjectWriter")}</Ownership>`,
  ])("is refused as a document: %s", (text) => expectRefusal(() => parse(text), "MalformedXML", 400));
});

import { describe, expect, it } from "vitest";

import { renderXml } from "../../../src/bytes/xml.ts";
import type { Acl } from "../../../src/protocol/acl/acl.ts";
import { aclElement, parseAclDocument } from "../../../src/protocol/acl/acl-xml.ts";
import { expectRefusal } from "./support.ts";

const OWNER = "000000000000";
const GROUPS = "http://acs.amazonaws.com/groups";
const EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

function parse(text: string): Acl {
  return parseAclDocument(new TextEncoder().encode(text), OWNER);
}

function grant(grantee: string, permission = "READ"): string {
  return `<Grant><Grantee>${grantee}</Grantee><Permission>${permission}</Permission></Grant>`;
}

function policy(grants: string, owner = `<Owner><ID>${OWNER}</ID></Owner>`): string {
  return `<AccessControlPolicy>${owner}<AccessControlList>${grants}</AccessControlList></AccessControlPolicy>`;
}

describe("the document of an ACL", () => {
  it("contains the owner and each grant, groups first, with the grantee types that AWS's parsers require", () => {
    const acl: Acl = {
      ownerId: "a&b",
      grants: [
        { grantee: "owner", permission: "FULL_CONTROL" },
        { grantee: "AllUsers", permission: "READ" },
      ],
    };
    const instance = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"';
    expect(renderXml(aclElement(acl))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        "<Owner><ID>a&amp;b</ID><DisplayName>a&amp;b</DisplayName></Owner><AccessControlList>" +
        `<Grant><Grantee ${instance} xsi:type="Group"><URI>${GROUPS}/global/AllUsers</URI></Grantee>` +
        "<Permission>READ</Permission></Grant>" +
        `<Grant><Grantee ${instance} xsi:type="CanonicalUser">` +
        "<ID>a&amp;b</ID><DisplayName>a&amp;b</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>" +
        "</AccessControlList></AccessControlPolicy>",
    );
  });

  it("round-trips for every permission and grantee", () => {
    for (const grantee of ["owner", "AllUsers", "AuthenticatedUsers", "LogDelivery", "EC2"] as const) {
      for (const permission of ["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"] as const) {
        const acl: Acl = { ownerId: OWNER, grants: [{ grantee, permission }] };
        expect(parse(renderXml(aclElement(acl)))).toEqual(acl);
      }
    }
  });

  it("can have no grants, spaces around its values, and other namespaces", () => {
    expect(parse(policy(""))).toEqual({ ownerId: OWNER, grants: [] });
    const spaced = policy(grant(`\n<URI> ${GROUPS}/s3/LogDelivery\n</URI>`, " READ_ACP "));
    expect(parse(spaced).grants).toEqual([{ grantee: "LogDelivery", permission: "READ_ACP" }]);
    const prefixed = policy(grant(`<ID>${OWNER}</ID>`)).replaceAll(/<(\/?)/g, "<$1s3:");
    expect(parse(prefixed.replace(">", ' xmlns:s3="urn:x">')).grants).toHaveLength(1);
  });

  it.each([
    ["nothing", ""],
    ["no XML", "private"],
    ["another document", "<Tagging/>"],
    ["no owner", policy("", "")],
    ["no list", `<AccessControlPolicy><Owner><ID>${OWNER}</ID></Owner></AccessControlPolicy>`],
    ["two owners", policy("", `<Owner><ID>${OWNER}</ID></Owner>`.repeat(2))],
    ["something else in the list", policy("<Deny/>")],
    ["a grant without a grantee", policy("<Grant><Permission>READ</Permission></Grant>")],
    ["a grantee without a name", policy(grant(`<DisplayName>${OWNER}</DisplayName>`))],
    ["a grantee of two kinds", policy(grant(`<ID>${OWNER}</ID><URI>${GROUPS}/global/AllUsers</URI>`))],
    ["a grant of nothing", policy(`<Grant><Grantee><ID>${OWNER}</ID></Grantee></Grant>`)],
    ["an unknown permission", policy(grant(`<ID>${OWNER}</ID>`, "read"))],
    ["a permission of Object's", policy(grant(`<ID>${OWNER}</ID>`, "constructor"))],
    ["101 grants", policy(grant(`<ID>${OWNER}</ID>`).repeat(101))],
    ["a DTD", `<!DOCTYPE x>${policy("")}`],
  ])("is refused as MalformedACLError: %s", (_name, text) =>
    expectRefusal(() => parse(text), "MalformedACLError", 400),
  );

  it("can have a hundred grants", () =>
    expect(parse(policy(grant(`<ID>${OWNER}</ID>`).repeat(100))).grants).toHaveLength(100));

  it.each([
    ["another owner", policy("", "<Owner><ID>1</ID></Owner>"), "CanonicalUser/ID", "1", "Invalid id"],
    ["Amazon as its owner", policy("", `<Owner><ID>${EC2}</ID></Owner>`), "CanonicalUser/ID", EC2, "Invalid id"],
    ["an owner without an id", policy("", "<Owner/>"), "CanonicalUser/ID", "", "Invalid id"],
    ["another account", policy(grant("<ID>1</ID>")), "CanonicalUser/ID", "1", "Invalid id"],
    ["another group", policy(grant("<URI>AllUsers</URI>")), "Group/URI", "AllUsers", "Invalid group uri"],
  ])("is refused as InvalidArgument: %s", (_name, text, name, value, message) =>
    expectRefusal(() => parse(text), "InvalidArgument", 400, {
      message,
      fields: { ArgumentName: name, ArgumentValue: value },
    }),
  );

  it("is rejected for an email address", () => {
    const text = policy(grant("<EmailAddress>a@example.com</EmailAddress>"));
    expectRefusal(() => parse(text), "UnresolvableGrantByEmailAddress", 400);
  });
});

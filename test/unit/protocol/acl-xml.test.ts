import { expect, it } from "vitest";

import { renderXml } from "../../../src/bytes/xml.ts";
import { ownerAclElement } from "../../../src/protocol/acl-xml.ts";

it("shows the owner's full control as the one grant, its grantee typed as AWS's parsers want it", () => {
  expect(renderXml(ownerAclElement("a&b"))).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      "<Owner><ID>a&amp;b</ID><DisplayName>a&amp;b</DisplayName></Owner><AccessControlList><Grant>" +
      '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">' +
      "<ID>a&amp;b</ID><DisplayName>a&amp;b</DisplayName></Grantee><Permission>FULL_CONTROL</Permission>" +
      "</Grant></AccessControlList></AccessControlPolicy>",
  );
});

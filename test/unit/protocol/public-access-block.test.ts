import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import {
  parsePublicAccessBlock,
  publicAccessBlockText,
  readPublicAccessBlock,
} from "../../../src/protocol/acl/public-access-block.ts";

const OFF = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

function parse(inner: string): unknown {
  return parsePublicAccessBlock(utf8(`<PublicAccessBlockConfiguration>${inner}</PublicAccessBlockConfiguration>`));
}

describe("parsePublicAccessBlock", () => {
  it("parses each setting; omitted ones are off", () => {
    expect(parse("")).toEqual(OFF);
    for (const name of Object.keys(OFF)) {
      expect(parse(`<${name}>true</${name}>`)).toEqual({ ...OFF, [name]: true });
      expect(parse(`<${name}> TRUE\n</${name}>`)).toEqual({ ...OFF, [name]: true });
      expect(parse(`<${name}>false</${name}>`)).toEqual(OFF);
    }
  });

  it.each([
    "<BlockPublicAcls/>",
    "<BlockPublicAcls>1</BlockPublicAcls>",
    "<BlockPublicAcls>yes</BlockPublicAcls>",
    "<BlockPublicAcls>true</BlockPublicAcls><BlockPublicAcls>false</BlockPublicAcls>",
    "<blockPublicAcls>true</blockPublicAcls>",
    "<__proto__>true</__proto__>",
  ])("rejects %s", (inner) => {
    expect(() => parse(inner)).toThrow(expect.objectContaining({ code: "MalformedXML" }));
  });
});

describe("readPublicAccessBlock", () => {
  it("reads the stored form, and all settings off without one", () => {
    const block = { ...OFF, BlockPublicPolicy: true };
    expect(readPublicAccessBlock(publicAccessBlockText(block))).toEqual(block);
    expect(readPublicAccessBlock(null)).toEqual(OFF);
  });
});

import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { renderXml } from "../../../src/bytes/xml.ts";
import { parseTagging, parseTaggingHeader, taggingElement } from "../../../src/protocol/core/tagging.ts";
import { unsoundTaggings } from "../../support/tagging.ts";
import { errorOf } from "./support.ts";

describe("a Tagging document", () => {
  it.each([
    ["<Tagging><TagSet/></Tagging>", []],
    [
      "<Tagging><TagSet><Tag><Key> b </Key><Value/></Tag><Tag><Value>1</Value><Key>a</Key></Tag></TagSet></Tagging>",
      [
        { key: " b ", value: "" },
        { key: "a", value: "1" },
      ],
    ],
    [
      '<?xml version="1.0"?><Tagging xmlns="x"><TagSet><Tag><Key>A</Key><Value>&#233;</Value></Tag></TagSet></Tagging>',
      [{ key: "A", value: "é" }],
    ],
  ])("%s holds its tags in order", (document, tags) => {
    expect(parseTagging(utf8(document), "object")).toEqual(tags);
  });

  it.each(["Object", "Bucket"] as const)("of an %s is rejected when invalid", (of) => {
    for (const [name, document, expected] of unsoundTaggings(of)) {
      const error = errorOf(() => parseTagging(utf8(document), of === "Object" ? "object" : "bucket"));
      expect(error.code, name).toBe(expected.code);
      if (expected.message !== undefined) expect(error.message, name).toBe(expected.message);
    }
  });

  it("round-trips", () => {
    const tags = [
      { key: "b", value: "<&>" },
      { key: "a", value: "" },
    ];
    const document = utf8(renderXml(taggingElement(tags)).replace("&lt;&amp;&gt;", "plain"));
    expect(parseTagging(document, "object")).toEqual([{ key: "b", value: "plain" }, tags[1]]);
  });
});

describe("a tagging header", () => {
  it.each([
    [undefined, []],
    ["", []],
    ["a=1", [{ key: "a", value: "1" }]],
    [
      "b=2&a=1%2B1&c=x+y&d=&e",
      [
        { key: "b", value: "2" },
        { key: "a", value: "1+1" },
        { key: "c", value: "x y" },
        { key: "d", value: "" },
        { key: "e", value: "" },
      ],
    ],
    ["%C3%A9=a=b", [{ key: "é", value: "a=b" }]],
  ])("%j holds its tags", (header, tags) => {
    expect(parseTaggingHeader(header)).toEqual(tags);
  });

  it.each(["a=1&a=2", "=1", "&", "a=1&", "a=%zz", "%ff=1", "a=%C3"])("%j is rejected as malformed", (header) => {
    const error = errorOf(() => parseTaggingHeader(header));
    expect([error.code, error.fields]).toEqual([
      "InvalidArgument",
      { ArgumentName: "x-amz-tagging", ArgumentValue: header },
    ]);
  });

  it.each([
    ["aws:a=1", "InvalidTag"],
    ["AWS:a=1", "InvalidTag"],
    [`${"k".repeat(129)}=1`, "InvalidTag"],
    [`k=${"v".repeat(257)}`, "InvalidTag"],
    ["k=%3B", "InvalidTag"],
    [Array.from({ length: 11 }, (_, index) => `k${index}=`).join("&"), "BadRequest"],
  ])("%j is rejected with %s", (header, code) => {
    expect(errorOf(() => parseTaggingHeader(header)).code).toBe(code);
  });
});

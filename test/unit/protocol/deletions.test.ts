import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { parseDeletions } from "../../../src/protocol/objects/deletions.ts";
import { nextVersionId } from "../../../src/protocol/core/version-id.ts";
import { expectRefusal } from "./support.ts";

const VERSION = nextVersionId(1, undefined);

const parse = (content: string) => parseDeletions(utf8(`<Delete>${content}</Delete>`));
const deletion = (key: string, more: object = {}) => ({
  key,
  versionId: undefined,
  conditions: {},
  problem: undefined,
  ...more,
});

describe("a list of deletions", () => {
  it("contains keys in their order, including duplicates", () => {
    const { deletions, isQuiet } = parse(
      "<Object><Key>a</Key></Object><Object><Key>b</Key></Object><Object><Key>a</Key></Object>",
    );
    expect(deletions).toEqual([deletion("a"), deletion("b"), deletion("a")]);
    expect(isQuiet).toBe(false);
  });

  it.each([
    [" ", " "],
    ["  a  ", "  a  "],
    ["007", "007"],
    ["true", "true"],
    ["1e3", "1e3"],
    ["null", "null"],
    ["a//b/../", "a//b/../"],
    ["a+b%20c", "a+b%20c"],
    ["&lt;a&gt;&amp;&quot;&apos;", "<a>&\"'"],
    ["a&#13;&#10;b", "a\r\nb"],
    ["&#x1;", "\u0001"],
    ["&#x1F600;", "\u{1f600}"],
    ["é", "é"],
    ["e\u0301", "e\u0301"],
    ["__proto__", "__proto__"],
    ["<![CDATA[<a>&]]>", "<a>&"],
  ])("keeps the key %j verbatim", (written, key) => {
    expect(parse(`<Object><Key>${written}</Key></Object>`).deletions).toEqual([deletion(key)]);
  });

  it.each([
    ["<Quiet>true</Quiet>", true],
    ["<Quiet>True</Quiet>", true],
    ["<Quiet> true </Quiet>", true],
    ["<Quiet>false</Quiet>", false],
    ["", false],
  ])("is quiet with %j: %s", (quiet, isQuiet) => {
    expect(parse(`${quiet}<Object><Key>a</Key></Object>`).isQuiet).toBe(isQuiet);
    expect(parse(`<Object><Key>a</Key></Object>${quiet}`).isQuiet).toBe(isQuiet);
  });

  it("is parsed with any namespace, prefix, declaration and white space", () => {
    for (const document of [
      '<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object></Delete>',
      '\ufeff<s3:Delete xmlns:s3="urn:x"><s3:Object><s3:Key>a</s3:Key></s3:Object></s3:Delete>',
      "<Delete>\n  <Object>\n    <Key>a</Key>\n  </Object>\n  <!-- no more -->\n</Delete>\n",
    ]) {
      expect(parseDeletions(utf8(document))).toEqual({ deletions: [deletion("a")], isQuiet: false });
    }
  });

  it("accepts 1000 keys and not one more", () => {
    const objects = (count: number) =>
      Array.from({ length: count }, (_, index) => `<Object><Key>${index}</Key></Object>`).join("");
    expect(parse(objects(1000)).deletions).toHaveLength(1000);
    expectRefusal(() => parse(objects(1001)), "MalformedXML", 400);
  });

  it.each([
    ["no key", ""],
    ["only Quiet", "<Quiet>true</Quiet>"],
    ["an object without a key", "<Object/>"],
    ["an object with a version and no key", `<Object><VersionId>${VERSION}</VersionId></Object>`],
    ["an empty key", "<Object><Key/></Object>"],
    ["two keys in one object", "<Object><Key>a</Key><Key>b</Key></Object>"],
    ["the same key twice in one object", "<Object><Key>a</Key><Key>a</Key></Object>"],
    [
      "two versions in one object",
      "<Object><Key>a</Key><VersionId>null</VersionId><VersionId>null</VersionId></Object>",
    ],
    ["a key with elements in it", "<Object><Key>a<b/></Key></Object>"],
    ["a key in a key", "<Object><Key><Key>a</Key></Key></Object>"],
    ["an ETag with elements in it", "<Object><Key>a</Key><ETag><b/></ETag></Object>"],
    ["an unknown field", "<Object><Key>a</Key><Bypass>true</Bypass></Object>"],
    ["a field in the wrong case", "<Object><key>a</key></Object>"],
    ["an unknown element", "<Object><Key>a</Key></Object><Objects/>"],
    ["two Quiet elements", "<Quiet>true</Quiet><Quiet>true</Quiet><Object><Key>a</Key></Object>"],
    ["an invalid Quiet", "<Quiet>yes</Quiet><Object><Key>a</Key></Object>"],
    ["an empty Quiet", "<Quiet/><Object><Key>a</Key></Object>"],
    ["a key named by nature", "<Object><__proto__>a</__proto__></Object>"],
    ["a size that is none", "<Object><Key>a</Key><Size>big</Size></Object>"],
    ["a negative size", "<Object><Key>a</Key><Size>-1</Size></Object>"],
    ["a size of 20 digits", "<Object><Key>a</Key><Size>99999999999999999999</Size></Object>"],
    ["a time that is none", "<Object><Key>a</Key><LastModifiedTime>soon</LastModifiedTime></Object>"],
    ["a number for a time", "<Object><Key>a</Key><LastModifiedTime>1</LastModifiedTime></Object>"],
    ["a day for a time", "<Object><Key>a</Key><LastModifiedTime>2026-01-02</LastModifiedTime></Object>"],
    ["31 February", "<Object><Key>a</Key><LastModifiedTime>2026-02-31T00:00:00Z</LastModifiedTime></Object>"],
  ])("is refused as a whole with %s", (_what, content) => expectRefusal(() => parse(content), "MalformedXML", 400));

  it.each([
    ["another root", "<Deletes><Object><Key>a</Key></Object></Deletes>"],
    ["nothing", ""],
    ["JSON", '{"Objects":[{"Key":"a"}]}'],
    ["a document that breaks off", "<Delete><Object><Key>a</Key></Object>"],
    ["a DTD", "<!DOCTYPE Delete><Delete><Object><Key>a</Key></Object></Delete>"],
  ])("is refused where it is %s", (_what, document) =>
    expectRefusal(() => parseDeletions(utf8(document)), "MalformedXML", 400),
  );
});

describe("a deletion", () => {
  it.each([VERSION, "null", ` ${VERSION} `])("can name a version: %s", (versionId) => {
    const { deletions } = parse(`<Object><Key>a</Key><VersionId>${versionId}</VersionId></Object>`);
    expect(deletions).toEqual([deletion("a", { versionId: versionId.trim() })]);
  });

  it.each(["x", "NULL", "", "' OR 1=1 --", "0".repeat(31), "0".repeat(33)])(
    "of a malformed version id fails alone: %j",
    (versionId) => {
      const { deletions } = parse(
        `<Object><Key>a</Key><VersionId>${versionId}</VersionId></Object><Object><Key>b</Key></Object>`,
      );
      expect(deletions).toEqual([deletion("a", { versionId, problem: "NoSuchVersion" }), deletion("b")]);
    },
  );

  it("of a key that is too long fails alone", () => {
    const [longest, tooLong, emoji] = ["a".repeat(1024), "a".repeat(1025), "\u{1f600}".repeat(257)];
    const { deletions } = parse([longest, tooLong, emoji].map((key) => `<Object><Key>${key}</Key></Object>`).join(""));
    expect(deletions.map(({ problem }) => problem)).toEqual([undefined, "KeyTooLongError", "KeyTooLongError"]);
  });

  const TIME = Date.UTC(2026, 0, 2, 3, 4, 5);
  it.each([
    ["<ETag>&quot;abc&quot;</ETag>", { ifMatch: '"abc"' }],
    ["<ETag>abc</ETag>", { ifMatch: "abc" }],
    ["<ETag>*</ETag>", { ifMatch: "*" }],
    ["<ETag/>", { ifMatch: "" }],
    ["<Size>0</Size>", { ifMatchSize: 0 }],
    ["<Size> 12 </Size>", { ifMatchSize: 12 }],
    ["<LastModifiedTime>Fri, 02 Jan 2026 03:04:05 GMT</LastModifiedTime>", { ifMatchLastModified: TIME }],
    ["<LastModifiedTime>2026-01-02T03:04:05Z</LastModifiedTime>", { ifMatchLastModified: TIME }],
    ["<LastModifiedTime>2026-01-02T03:04:05.678Z</LastModifiedTime>", { ifMatchLastModified: TIME + 678 }],
    [
      "<Size>1</Size><LastModifiedTime>1970-01-01T00:00:00Z</LastModifiedTime><ETag>e</ETag>",
      { ifMatch: "e", ifMatchSize: 1, ifMatchLastModified: 0 },
    ],
  ])("may have the condition %s, and no other than it has", (content, conditions) => {
    const { deletions } = parse(`<Object><Key>a</Key>${content}</Object>`);
    expect(deletions).toEqual([deletion("a", { conditions })]);
    expect(Object.keys(deletions[0]?.conditions ?? {})).toHaveLength(Object.keys(conditions).length);
  });
});

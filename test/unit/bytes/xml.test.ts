import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { isWithinLimits } from "../../../src/bytes/xml-limits.ts";
import { element, optionalElement, parseXml, renderXml, type XmlNode } from "../../../src/bytes/xml.ts";
import { expectQuick } from "../../support/quick.ts";
import { Seeded } from "./seeded.ts";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const MAX_ELEMENTS = 10_000;

function rendered(text: string): string {
  return renderXml(element("a", text)).slice(DECLARATION.length);
}

function parsed(document: string): XmlNode | undefined {
  return parseXml(utf8(document), MAX_ELEMENTS);
}

function leaf(name: string, text: string): XmlNode {
  return { name, text, children: [] };
}

describe("a written document", () => {
  it("begins with a declaration and nests its elements", () => {
    const document = element("R", [element("A", "x"), element("B", [element("C", 5), element("D", true)])]);
    expect(renderXml(document)).toBe(`${DECLARATION}<R><A>x</A><B><C>5</C><D>true</D></B></R>`);
  });

  it("omits children that are undefined, and keeps those that are empty or zero", () => {
    const document = element("R", [
      optionalElement("A", undefined),
      optionalElement("B", ""),
      optionalElement("C", 0),
      optionalElement("D", false),
      undefined,
    ]);
    expect(renderXml(document)).toBe(`${DECLARATION}<R><B/><C>0</C><D>false</D></R>`);
  });

  it("closes an element without content at once, attributes or not", () => {
    expect(renderXml(element("R"))).toBe(`${DECLARATION}<R/>`);
    expect(renderXml(element("R", [], { xmlns: "u" }))).toBe(`${DECLARATION}<R xmlns="u"/>`);
    expect(renderXml(element("R", "x", { xmlns: "u" }))).toBe(`${DECLARATION}<R xmlns="u">x</R>`);
  });

  it.each([
    ["<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["x\"&'", "x&quot;&amp;&apos;"],
    ["&amp;", "&amp;amp;"],
    ["]]>", "]]&gt;"],
    ["<![CDATA[", "&lt;![CDATA["],
    ["a\rb\r\nc", "a&#13;b&#13;\nc"],
    ["tab\there", "tab\there"],
    ["é\u{1f600}\u2028\u0085", "é\u{1f600}\u2028\u0085"],
    ['"d41d8cd9"', "&quot;d41d8cd9&quot;"],
    [" a ", " a "],
  ])("escapes %j", (text, escaped) => expect(rendered(text)).toBe(`<a>${escaped}</a>`));

  it("replaces every character that XML cannot contain", () => {
    const unwritable = [0xfffe, 0xffff, 0xd800, 0xdbff, 0xdc00, 0xdfff];
    for (let code = 0; code < 0x20; code += 1) if (![9, 10, 13].includes(code)) unwritable.push(code);
    for (const code of unwritable) {
      const character = String.fromCharCode(code);
      expect(rendered(`${character}x`)).toBe("<a>\ufffdx</a>");
      expect(rendered(`x${character}`)).toBe("<a>x\ufffd</a>");
    }
    expect(rendered("\ude00\ud83d")).toBe("<a>\ufffd\ufffd</a>");
  });

  it("escapes every text so that it cannot end its attribute or its element", () => {
    const hostile = `"><x y='z'>&</a>`;
    expect(renderXml(element("a", "t", { b: hostile }))).toBe(
      `${DECLARATION}<a b="&quot;&gt;&lt;x y=&apos;z&apos;&gt;&amp;&lt;/a&gt;">t</a>`,
    );
    expect(parsed(renderXml(element("a", hostile, { b: hostile })))).toEqual(leaf("a", hostile));
  });

  it("parses back to its texts", () => {
    const random = new Seeded(41);
    for (let turn = 0; turn < 300; turn += 1) {
      const text = random.text(12).replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "");
      expect(parsed(renderXml(element("R", [element("Key", text)])))).toEqual({
        name: "R",
        text: "",
        children: [leaf("Key", text)],
      });
    }
  });
});

describe("a read text", () => {
  it.each([
    ["007", "007"],
    ["true", "true"],
    ["1e3", "1e3"],
    ["0x10", "0x10"],
    ["-0", "-0"],
    ["null", "null"],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["99999999999999999999", "99999999999999999999"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    [" ", " "],
    ["  a  ", "  a  "],
    ["\t\n", "\t\n"],
    ["a\r\nb\rc", "a\nb\nc"],
    ["&#13;&#10;", "\r\n"],
    ["&#xD;", "\r"],
    ["&lt;&gt;&amp;&quot;&apos;", "<>&\"'"],
    ["&#60;!DOCTYPE&#62;", "<!DOCTYPE>"],
    ["&#x1F600;&#128512;", "\u{1f600}\u{1f600}"],
    ["&#x0041;&#0065;", "AA"],
    ["&amp;lt;", "&lt;"],
    ["&#38;amp;", "&amp;"],
    ["&#x1;", "\u0001"],
    ["\ufeffa", "\ufeffa"],
    ["]]>", "]]>"],
    ["e\u0301", "e\u0301"],
    ["$1 $$", "$1 $$"],
    ["__proto__", "__proto__"],
  ])("%j is %j, verbatim", (written, text) => expect(parsed(`<a>${written}</a>`)).toEqual(leaf("a", text)));

  it.each([
    ["<![CDATA[x]]>", "x"],
    ["a<![CDATA[ <b>&amp;&foo; ]]>c&amp;", "a <b>&amp;&foo; c&"],
    ["<![CDATA[]]>", ""],
    ["<![CDATA[a]]><![CDATA[b]]>", "ab"],
    ["<![CDATA[007]]>", "007"],
    ["a<!-- not this & not <b>that</b> -->b", "ab"],
    ["<!-- -->a<!---->", "a"],
    ["a<?unknown instruction?>b", "ab"],
  ])("takes %j for %j", (written, text) => expect(parsed(`<a>${written}</a>`)).toEqual(leaf("a", text)));
});

describe("a read document", () => {
  it("contains every child in order, including duplicates", () => {
    expect(parsed("<R><A>1</A><B/><A>2</A></R>")).toEqual({
      name: "R",
      text: "",
      children: [leaf("A", "1"), leaf("B", ""), leaf("A", "2")],
    });
  });

  it("separates the text of an element from that of its children", () => {
    expect(parsed("<R>x<A>1</A>y</R>")).toEqual({ name: "R", text: "xy", children: [leaf("A", "1")] });
  });

  it.each([
    ["a declaration", '<?xml version="1.0" encoding="UTF-8"?><R><A>1</A></R>'],
    ["a byte order mark", "\ufeff<R><A>1</A></R>"],
    ["a byte order mark and a declaration", '\ufeff<?xml version="1.0"?>\r\n<R><A>1</A></R>'],
    ["a namespace", '<R xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><A>1</A></R>'],
    ["an unknown namespace", "<R xmlns='urn:x'><A xmlns='urn:y'>1</A></R>"],
    ["a prefix", '<s3:R xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/"><s3:A>1</s3:A></s3:R>'],
    ["attributes", `<R a="1>2" b='"'><A c="&amp;">1</A></R>`],
    ["space in its tags", "<R ><A\n>1</A\t></R >\n"],
    ["comments around it", "<!-- a --><R><A>1</A></R><!-- b -->"],
  ])("is the same with %s", (_what, document) => {
    expect(parsed(document)).toEqual({ name: "R", text: "", children: [leaf("A", "1")] });
  });

  it("accepts a pretty-printed document and ignores its white space", () => {
    const root = parsed("<R>\n  <A>1</A>\n  <B>\n    <C> 2 </C>\n  </B>\n</R>\n");
    expect(root?.children.map(({ name }) => name)).toEqual(["A", "B"]);
    expect(root?.children[1]?.children).toEqual([leaf("C", " 2 ")]);
  });

  it.each([
    ["nothing", ""],
    ["only space", " \n "],
    ["only text", "text"],
    ["only a declaration", '<?xml version="1.0"?>'],
    ["only a comment", "<!-- a -->"],
    ["only a CDATA section", "<![CDATA[a]]>"],
    ["an element that is not closed", "<a>"],
    ["an element that is not opened", "</a>"],
    ["a tag that is not closed", "<a"],
    ["elements that cross", "<a><b></a></b>"],
    ["two roots", "<a/><b/>"],
    ["two full roots", "<a>1</a><b>2</b>"],
    ["text before the root", "x<a/>"],
    ["text after the root", "<a>1</a>x"],
    ["a comment that is not closed", "<a><!-- </a>"],
    ["a comment after the root that is not closed", "<a/><!-- "],
    ["a CDATA section that is not closed", "<a><![CDATA[ </a>"],
    ["an instruction that is not closed", "<a><?pi </a>"],
    ["a declaration after space", ' <?xml version="1.0"?><a/>'],
    ["a name that begins with a digit", "<1a/>"],
    ["an attribute without a value", "<a b/>"],
    ["an attribute twice", '<a b="1" b="2"/>'],
    ["an attribute without quotes", "<a b=1/>"],
    ["JSON", '{"a":1}'],
  ])("is refused where it is %s", (_what, document) => expect(parsed(document)).toBeUndefined());

  it.each([
    "&",
    "& ",
    "&;",
    "&amp",
    "a&b",
    "&foo;",
    "&nbsp;",
    "&AMP;",
    "&toString;",
    "&__proto__;",
    "&#;",
    "&#x;",
    "&#0;",
    "&#x0;",
    "&#xD800;",
    "&#xDFFF;",
    "&#x110000;",
    "&#9999999999;",
    "&#99999999999999999999999999;",
    "&#X41;",
    "&#4A;",
    "&#-1;",
    "&#1e3;",
    "&am<!-- -->p;",
    "&am<![CDATA[p;]]>",
  ])("is refused for the entity in %j", (text) => expect(parsed(`<a>${text}</a>`)).toBeUndefined());

  it.each([
    ["a DTD", "<!DOCTYPE a><a/>"],
    ["an internal subset", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ["an external file", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ["an external address", '<!DOCTYPE a SYSTEM "http://169.254.169.254/"><a/>'],
    ["a parameter entity", '<!DOCTYPE a [<!ENTITY % b SYSTEM "http://x/"> %b;]><a/>'],
    ["a DTD in lower case", "<!doctype a><a/>"],
    ["a DTD inside an element", "<a><!DOCTYPE a></a>"],
    ["an entity declaration", '<a><!ENTITY b "c"></a>'],
    ["an unknown declaration", "<a><!></a>"],
    [
      "a billion laughs",
      `<!DOCTYPE a [<!ENTITY l0 "ha">${Array.from(
        { length: 30 },
        (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`,
      ).join("")}]><a>&l30;</a>`,
    ],
    ["a quadratic blow-up", `<!DOCTYPE a [<!ENTITY b "${"x".repeat(50_000)}">]><a>${"&b;".repeat(20_000)}</a>`],
  ])("is refused for %s, at once", (_what, document) => {
    expectQuick(() => expect(parsed(document)).toBeUndefined(), 500);
  });

  it("is rejected over 20 levels of depth", () => {
    const nested = (depth: number) => "<a>".repeat(depth) + "</a>".repeat(depth);
    expect(parsed(nested(20))).toBeDefined();
    expect(parsed(nested(25))).toBeUndefined();
    expect(parsed(nested(100_000))).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "then"])(
    "sets no prototype with an element named %s",
    (name) => {
      const before = Object.getOwnPropertyNames(Object.prototype);
      const root = parsed(`<a><${name}><polluted>yes</polluted></${name}><b>1</b></a>`);
      expect(Reflect.get({}, "polluted")).toBeUndefined();
      expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
      // Rejected or read, but never treated as another element.
      if (root !== undefined) expect(root.children.filter((child) => child.name === "b")).toHaveLength(1);
    },
  );

  it.each([
    ["UTF-16, little-endian", utf16("<a>1</a>", true, true)],
    ["UTF-16, big-endian", utf16("<a>1</a>", false, true)],
    ["UTF-16 without a byte order mark", utf16("<a>1</a>", true, false)],
    ["Latin-1", Uint8Array.of(0x3c, 0x61, 0x3e, 0xe9, 0x3c, 0x2f, 0x61, 0x3e)],
    ["an overlong slash", Uint8Array.of(0x3c, 0x61, 0x3e, 0xc0, 0xaf, 0x3c, 0x2f, 0x61, 0x3e)],
    ["a surrogate", Uint8Array.of(0x3c, 0x61, 0x3e, 0xed, 0xa0, 0x80, 0x3c, 0x2f, 0x61, 0x3e)],
    ["NUL", utf8("<a>\0</a>")],
    ["NUL after its end", utf8("<a/>\0")],
  ])("is refused in %s", (_what, bytes) => expect(parseXml(bytes, MAX_ELEMENTS)).toBeUndefined());
});

describe("the time to read 2 MB", () => {
  const objects = `<Object><Key>${"k".repeat(32)}</Key></Object>`;
  it.each([
    [
      "a thousand long keys",
      `<Delete>${`<Object><Key>${"k".repeat(1900)}</Key></Object>`.repeat(1000)}</Delete>`,
      true,
    ],
    ["many small elements", `<Delete>${objects.repeat(35_000)}</Delete>`, true],
    ["entities", `<a>${"&amp;".repeat(400_000)}</a>`, true],
    ["attributes", `<a ${Array.from({ length: 120_000 }, (_, index) => `a${index}="1"`).join(" ")}/>`, false],
    ["space", `<a>${" ".repeat(2_000_000)}</a>`, true],
    ["comments", `<a>${"<!-- -->".repeat(250_000)}</a>`, true],
    ["CDATA sections", `<a>${"<![CDATA[x]]>".repeat(150_000)}</a>`, true],
    ["open tags", "<a>".repeat(660_000), false],
    ["open angles", "<".repeat(2_000_000), false],
    ["ampersands", `<a>${"&".repeat(2_000_000)}</a>`, false],
    ["half instructions", `<a>${"<?p ".repeat(500_000)}`, false],
    ["half comments", `<a>${"<!--".repeat(500_000)}`, false],
    ["half CDATA sections", `<a>${"<![CDATA[".repeat(220_000)}`, false],
    ["half declarations", `<a>${"<!".repeat(1_000_000)}`, false],
    ["one endless name", `<${"a".repeat(2_000_000)}`, false],
    ["one endless attribute", `<a b="${"x".repeat(2_000_000)}`, false],
    ["space in a tag", `<a ${" ".repeat(2_000_000)}b`, false],
  ])("stays reasonable for %s", (_what, document, isRead) => {
    const bytes = utf8(document);
    expectQuick(() => expect(parseXml(bytes, 1_000_000) !== undefined).toBe(isRead), 5000);
  });
});

function utf16(text: string, littleEndian: boolean, withMark: boolean): Uint8Array {
  const marked = withMark ? `\ufeff${text}` : text;
  const view = new DataView(new ArrayBuffer(marked.length * 2));
  for (let index = 0; index < marked.length; index += 1) {
    view.setUint16(index * 2, marked.charCodeAt(index), littleEndian);
  }
  return new Uint8Array(view.buffer);
}

describe("a document of many elements", () => {
  it.each([
    ["elements", "<b/>"],
    ["elements among text", "a<b/>"],
    ["elements with text", "<b>x</b>"],
    ["comments", "<!---->"],
    ["sections", "<![CDATA[]]>"],
    ["instructions", "<?p?>"],
  ])("is accepted with the maximum number of %s, and rejected with one more", (_what, piece) => {
    const document = (count: number): Uint8Array => utf8(`<R>${piece.repeat(count)}</R>`);
    expect(parseXml(document(99), 100)?.name).toBe("R");
    expect(parseXml(document(100), 100)).toBeUndefined();
    expect(parseXml(document(400_000), 100)).toBeUndefined();
  });

  it("is rejected before it is parsed, well-formed or not", () => {
    expect(isWithinLimits("<a>".repeat(100), 100)).toBe(true);
    expect(isWithinLimits("<a>".repeat(101), 100)).toBe(false);
    expect(isWithinLimits("<a></a></a></a>", 1)).toBe(true);
    expect(isWithinLimits("<a", 10)).toBe(false);
  });

  it.each([
    ["many attributes", (count: number) => `<R ${'a="" '.repeat(count)}/>`],
    ["a long value", (count: number) => `<R a="${"x".repeat(count)}"/>`],
    ["a value with the end of a tag in it", (count: number) => `<R a=">" b='${">".repeat(count)}'/>`],
    ["a long name", (count: number) => `<${"R".repeat(count)}/>`],
  ])("and one with %s in a tag are bounded alike", (_what, document) => {
    expect(isWithinLimits(document(10), 10)).toBe(true);
    expect(isWithinLimits(document(5000), 10)).toBe(false);
  });

  it.each([
    ["the beginning of a comment in a value", (many: string) => `<R a="<!--">${many}<b c="-->"/></R>`],
    ["the beginning of a section in a value", (many: string) => `<R a='<![CDATA['>${many}<b c="]]>"/></R>`],
    ["a quote in an instruction", (many: string) => `<R><?p "?>${many}<?p "?></R>`],
    ["a quote in a comment", (many: string) => `<R><!-- " -->${many}<!-- " --></R>`],
    ["a quote in text", (many: string) => `<R>"${many}"</R>`],
    ["a section in a comment", (many: string) => `<R><!-- <![CDATA[ -->${many}<!-- ]]> --></R>`],
    ["a comment in a section", (many: string) => `<R><![CDATA[<!--]]>${many}<![CDATA[-->]]></R>`],
    ["a comment that is none", (many: string) => `<R><!-->${many}--></R>`],
  ])("is counted in full behind %s", (_what, document) => {
    const bytes = utf8(document("<b/>".repeat(1000)));
    // Either it is counted, or the parser treats all of it as something other than an element.
    expect(parseXml(bytes, 100)?.children.length ?? 0).toBeLessThan(10);
  });

  it("can contain text that looks like markup", () => {
    const text = "a<b'c < \"d<e/>".repeat(500);
    expect(parseXml(utf8(`<R><!--${text}--><A><![CDATA[${text}]]></A></R>`), 10)?.children[0]?.text).toBe(text);
  });

  it("can contain long text, comments and sections", () => {
    const long = "x".repeat(100_000);
    expect(parsed(`<R><!--${long}--><A>${long}</A><B><![CDATA[${long}]]></B></R>`)?.children[0]?.text).toBe(long);
  });
});

import { describe, expect, it } from "vitest";

import { utf8 } from "../../../src/bytes/text.ts";
import { element, optionalElement, parseXml, renderXml, type XmlElement } from "../../../src/bytes/xml.ts";
import { entriesXml, ownerElement, ownerXml } from "../../../src/protocol/listings/listing-xml.ts";
import { encodeListed } from "../../../src/protocol/listings/listing.ts";
import type { ListedObject, ListingEntry } from "../../../src/protocol/objects/stored-object.ts";

function listed(key: string, more: Partial<ListedObject> = {}): ListingEntry {
  return {
    object: {
      key,
      size: 5,
      etag: "0cc175b9c0f1b6a831c399e269772661",
      modifiedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 67),
      ownerId: "123456789012",
      storageClass: "STANDARD",
      checksumAlgorithm: undefined,
      checksumType: undefined,
      ...more,
    },
  };
}

/** The entries as a document, without its declaration. */
function written(entries: readonly ListingEntry[], encodingType?: "url", showsOwner = false): string {
  const xml = entriesXml(entries, (text) => encodeListed(text, encodingType), showsOwner);
  const document = renderXml(element("R", [xml]));
  return document.slice(document.indexOf("\n") + 1);
}

const FACTS =
  "<LastModified>2026-01-02T03:04:05.067Z</LastModified><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag>";

describe("a listed object", () => {
  it("has key, date, ETag, size and storage class", () => {
    expect(written([listed("a")])).toBe(
      `<R><Contents><Key>a</Key>${FACTS}<Size>5</Size><StorageClass>STANDARD</StorageClass></Contents></R>`,
    );
  });

  it("has its checksum's algorithm and type, and its owner when requested", () => {
    const entry = listed("a", {
      checksumAlgorithm: "CRC64NVME",
      checksumType: "FULL_OBJECT",
      storageClass: "GLACIER_IR",
    });
    expect(written([entry], undefined, true)).toBe(
      `<R><Contents><Key>a</Key>${FACTS}<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>5</Size><Owner><ID>123456789012</ID><DisplayName>123456789012</DisplayName></Owner><StorageClass>GLACIER_IR</StorageClass></Contents></R>`,
    );
  });

  it("without bytes has the size 0", () => expect(written([listed("a", { size: 0 })])).toContain("<Size>0</Size>"));

  it.each(["x<script>&\"'", "]]>", " a ", "007", "true", "a\rb\nc", "</Key><Key>b", "&amp;", "é\u{1f600}"])(
    "round-trips the key %j",
    (key) => {
      const root = parseXml(utf8(written([listed(key)])), 10_000);
      const keys = root?.children.flatMap(({ children }) => children.filter(({ name }) => name === "Key"));
      expect(keys?.map(({ text }) => text)).toEqual([key]);
    },
  );

  it.each(["\u0001", "\0", "\ufffe", "a\u001fb"])("leaves the listing well-formed with the key %j", (key) => {
    const root = parseXml(utf8(written([listed(key), listed("next")])), 10_000);
    expect(root?.children).toHaveLength(2);
    expect(root?.children[0]?.children[0]?.text).toBe(key.replaceAll(/[^a-z]/g, "\ufffd"));
    expect(written([listed(key)], "url")).toContain(`<Key>${encodeListed(key, "url")}</Key>`);
  });
});

describe("the entries of a page", () => {
  it("are objects first and common prefixes after them, each in their order", () => {
    const entries = [{ commonPrefix: "a/" }, listed("b"), { commonPrefix: "c/" }, listed("d")];
    const root = parseXml(utf8(written(entries)), 100_000);
    expect(root?.children.map(({ name, children }) => `${name} ${children[0]?.text}`)).toEqual([
      "Contents b",
      "Contents d",
      "CommonPrefixes a/",
      "CommonPrefixes c/",
    ]);
  });

  it("are both encoded when requested", () => {
    const text = written([listed("a b+"), { commonPrefix: "c d/" }], "url");
    expect(text).toContain("<Key>a%20b%2B</Key>");
    expect(text).toContain("<CommonPrefixes><Prefix>c%20d/</Prefix></CommonPrefixes>");
  });

  it("can be none", () => expect(written([])).toBe("<R></R>"));
});

/** The entries as elements. */
function elements(entries: readonly ListingEntry[]): XmlElement[] {
  const contents = entries.flatMap((entry) => ("object" in entry ? [entry.object] : []));
  return contents.map((object) =>
    element("Contents", [
      element("Key", object.key),
      element("LastModified", new Date(object.modifiedAt).toISOString()),
      element("ETag", `"${object.etag}"`),
      optionalElement("ChecksumAlgorithm", object.checksumAlgorithm),
      optionalElement("ChecksumType", object.checksumType),
      element("Size", object.size),
      ownerElement(object.ownerId),
      element("StorageClass", object.storageClass),
    ]),
  );
}

describe("the text of entries", () => {
  it("equals what elements render, for any fields", () => {
    const odd = [
      "",
      "a",
      "&",
      "<b>",
      '"',
      "'",
      "]]>",
      "\r",
      "\n",
      "\0",
      "\u0001",
      "\ud800",
      "\u{1f600}",
      "\ufffe",
      "a b+%/é",
    ];
    const entries = odd.flatMap((text) => [
      listed(text),
      listed("a", { etag: text }),
      listed("a", { ownerId: text, storageClass: text }),
      listed(text, { checksumAlgorithm: "SHA1", checksumType: "COMPOSITE", size: 2 ** 40, modifiedAt: 0 }),
    ]);
    const document = renderXml(element("R", elements(entries)));
    expect(written(entries, undefined, true)).toBe(document.slice(document.indexOf("\n") + 1));
  });
});

describe("an owner", () => {
  it("is written the same as text and as an element", () => {
    for (const id of ["1", "<&>", ""]) {
      expect(renderXml(ownerElement(id, "Initiator"))).toContain(ownerXml(id, "Initiator"));
    }
  });

  it("has its id as its name", () => {
    expect(renderXml(ownerElement("<1>"))).toContain(
      "<Owner><ID>&lt;1&gt;</ID><DisplayName>&lt;1&gt;</DisplayName></Owner>",
    );
  });
});

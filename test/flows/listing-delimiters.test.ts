// Listings with any delimiter, in pages of any size: the keys, versions and uploads that do not contain the delimiter, and the
// common prefixes of the others, each once.
import { beforeAll, describe, expect, it } from "vitest";

import { compareUtf8, utf8 } from "../../src/bytes/text.ts";
import { parseXml, type XmlNode } from "../../src/bytes/xml.ts";
import { send } from "../support/client.ts";
import { freshBucket, putAll } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";

const KEYS = [
  "/",
  "//a",
  "a",
  "a/",
  "a/b",
  "a//b",
  "a///",
  "aaa",
  "aaaa/b",
  "a\nb",
  "a\n1",
  "é/é",
  "éa",
  "xéyéz",
  "x\u{1f600}y",
  "x\u{10ffff}y",
  "x\u{10ffff}\u{10ffff}",
  "z/0",
  "z0",
  "zz",
].sort(compareUtf8);

const DELIMITERS = ["/", "//", "a", "aa", "\n", "é", "\u{1f600}", "\u{10ffff}", "b/", "0", "none"];
const PREFIXES = ["", "a", "x", "/"];

let bucket = "";
beforeAll(async () => {
  bucket = await freshBucket();
  await putAll(bucket, Object.fromEntries(KEYS.map((key) => [key, "x"])));
  for (const key of KEYS) await createUpload(bucket, key);
});

/** What a listing consists of, in its order. */
function expected(prefix: string, delimiter: string): string[] {
  const listed = KEYS.filter((key) => key.startsWith(prefix)).map((key) => {
    const at = key.indexOf(delimiter, prefix.length);
    return at < 0 ? `key ${key}` : `prefix ${key.slice(0, at + delimiter.length)}`;
  });
  return [...new Set(listed)];
}

function textOf(node: XmlNode | undefined, name: string): string | undefined {
  return node?.children.find((child) => child.name === name)?.text;
}

/** A kind of listing: its parameter, the element of an entry, and how the next page begins. */
interface Listing {
  readonly query: string;
  readonly entry: string;
  readonly next: (page: XmlNode) => Record<string, string>;
}

const LISTINGS: readonly Listing[] = [
  {
    query: "list-type=2",
    entry: "Contents",
    next: (page) => ({ "continuation-token": textOf(page, "NextContinuationToken") ?? "" }),
  },
  {
    query: "versions",
    entry: "Version",
    next: (page) => ({
      "key-marker": textOf(page, "NextKeyMarker") ?? "",
      ...optional("version-id-marker", textOf(page, "NextVersionIdMarker")),
    }),
  },
  {
    query: "uploads",
    entry: "Upload",
    next: (page) => ({
      "key-marker": textOf(page, "NextKeyMarker") ?? "",
      ...optional("upload-id-marker", textOf(page, "NextUploadIdMarker")),
    }),
  },
];

function optional(name: string, value: string | undefined): Record<string, string> {
  return value === undefined || value === "" ? {} : { [name]: value };
}

/** All entries of a listing, page by page, each page in the order of keys. */
async function listed({ query, entry, next }: Listing, prefix: string, delimiter: string, size: number) {
  const found: string[] = [];
  const sizeName = query === "uploads" ? "max-uploads" : "max-keys";
  let more: Record<string, string> | undefined = {};
  while (more !== undefined) {
    const parameters = new URLSearchParams({
      prefix,
      delimiter,
      "encoding-type": "url",
      [sizeName]: String(size),
      ...more,
    });
    const response = await send("GET", `/${bucket}?${query}&${parameters.toString().replaceAll("+", "%20")}`);
    const page = parseXml(utf8(await response.text()), 10_000);
    expect(response.status).toBe(200);
    if (page === undefined) throw new Error("no document");
    const entries = page.children.flatMap((child): string[] => {
      if (child.name === entry) return [`key ${decodeURIComponent(textOf(child, "Key") ?? "")}`];
      return child.name === "CommonPrefixes" ? [`prefix ${decodeURIComponent(textOf(child, "Prefix") ?? "")}`] : [];
    });
    const nameOf = (text: string): string => text.slice(text.indexOf(" ") + 1);
    found.push(...entries.sort((one, other) => compareUtf8(nameOf(one), nameOf(other))));
    expect(entries.length).toBeLessThanOrEqual(size);
    const markers: Record<string, string> = next(page);
    const decoded = Object.entries(markers).map(([name, value]) => [name, decodeURIComponent(value)]);
    more = textOf(page, "IsTruncated") === "true" ? Object.fromEntries(decoded) : undefined;
    expect(found.length).toBeLessThanOrEqual(KEYS.length);
  }
  return found;
}

describe.each(LISTINGS)("?$query", (listing) => {
  it.each(DELIMITERS)(
    "with the delimiter %j lists each key and each common prefix once, in order",
    async (delimiter) => {
      for (const prefix of PREFIXES) {
        for (const size of [1, 3, 1000]) {
          expect(await listed(listing, prefix, delimiter, size), `${prefix} ${size}`).toEqual(
            expected(prefix, delimiter),
          );
        }
      }
    },
  );
});

// Every legal key is stored byte for byte, listed in byte order, and never parsed as syntax. Keys with dot segments
// cannot be sent from here because Request resolves them.
import { beforeAll, describe, expect, it } from "vitest";

import { deliver, presigned, send } from "../support/client.ts";
import { expectBytes, md5Base64, md5Hex, utf8 } from "../support/digests.ts";
import { expectS3Error } from "../support/expect-s3-error.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { expectNothingLeftOver, expectNoTrace, storedStateOf } from "../support/stored-state.ts";
import { childrenOf, readXml, textOf } from "../support/read-xml.ts";

const KEYS = [
  // Spaces and their encodings.
  " ",
  "  two before",
  "two after  ",
  "a b",
  "a  b",
  "a+b",
  "a%20b",
  // Escapes that are literal text, and characters that need escaping.
  "%",
  "%%",
  "%2F",
  "a%2Fb",
  "%252F",
  "%zz",
  "100%",
  "?",
  "#",
  "&",
  "=",
  "a?b=c&d#e",
  "k=v/",
  "(1)!*'~",
  '"<>|^{}[]`',
  ":@,;$",
  "http://example.com/x",
  // Slashes.
  "/",
  "//",
  "/a",
  "//a",
  "a/",
  "a//",
  "a//b",
  "a/b",
  "dir",
  "dir/",
  "dir/x",
  // Backslashes, and dots that form no segments.
  "\\",
  "a\\b",
  "\\..\\a",
  "...",
  ".a",
  "..a",
  "a.",
  "a/.b",
  "a/..b",
  // Control characters.
  "\u0001",
  "a\tb",
  "a\nb",
  "a\r\nb",
  "\n",
  "\u007f",
  "\u0085",
  "\u2028",
  // Unicode: look-alike forms, boundary values of UTF-16 and UTF-8, invisible characters.
  "\u00e9",
  "e\u0301",
  "\u00df",
  "SS",
  "\u0130",
  "\u4e2d\u6587",
  "\u{1f600}",
  "\u{1f600}/\u{1f601}",
  "\ud7ff",
  "\ue000",
  "\ufffd",
  "\ufffe",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
  "\ufeff",
  "\ufeffa",
  "a\u202eb",
  "\u200b",
  // Keys that look like syntax to another layer.
  "A",
  "a",
  "%41",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "true",
  "007",
  "7",
  "-1",
  "' OR '1'='1",
  "'; DROP TABLE objects; --",
  "_",
  "%_",
  "*",
  "<script>alert(1)</script>",
  "&amp;",
  "]]>",
  "<![CDATA[x]]>",
  "${x}",
  "{{x}}",
  // The longest key.
  "k".repeat(1024),
  "\u{1f600}".repeat(256),
];

/** Keys that XML 1.0 cannot represent, so that DeleteObjects cannot name them. */
// oxlint-disable-next-line no-control-regex
const UNWRITABLE = /[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function pathOf(bucket: string, key: string): string {
  return `/${bucket}/${encodeURIComponent(key)}`;
}

function byUtf8(left: string, right: string): number {
  const [a, b] = [utf8(left), utf8(right)];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function decodeListed(text: string): string {
  return decodeURIComponent(text.replaceAll("+", "%20"));
}

async function listed(bucket: string, query: string): Promise<string[]> {
  const response = await send("GET", `/${bucket}?list-type=2&encoding-type=url${query}`);
  expect(response.status, query).toBe(200);
  return childrenOf(readXml(await response.text()), "Contents").map((entry) =>
    decodeListed(textOf(entry, "Key") ?? ""),
  );
}

describe("odd keys", () => {
  let bucket = "";

  beforeAll(async () => {
    bucket = await freshBucket();
    expect(new Set(KEYS).size).toBe(KEYS.length);
    for (const key of KEYS) {
      const response = await send("PUT", pathOf(bucket, key), { body: key });
      expect(response.status, JSON.stringify(key)).toBe(200);
    }
  });

  it("each name an object of their own", async () => {
    const { objects } = await storedStateOf(bucket);
    expect(Object.keys(objects)).toHaveLength(KEYS.length);
    for (const key of KEYS) {
      const { status, headers } = await send("HEAD", pathOf(bucket, key));
      expect({ key, status, etag: headers.get("etag") }).toEqual({ key, status: 200, etag: `"${md5Hex(key)}"` });
      await expectBytes(await send("GET", pathOf(bucket, key)), key);
    }
  });

  it("are the same keys in presigned URLs", async () => {
    for (const key of KEYS) {
      const response = await deliver(await presigned("GET", pathOf(bucket, key)));
      expect(response.status, JSON.stringify(key)).toBe(200);
      await expectBytes(response, key);
    }
  });

  it("are the same keys in virtual-hosted style", async () => {
    const endpoint = `http://${bucket}.s3.example.com`;
    for (const key of KEYS) {
      const response = await send("GET", `/${encodeURIComponent(key)}`, { endpoint });
      expect(response.status, JSON.stringify(key)).toBe(200);
      await expectBytes(response, key);
    }
  });

  it("are listed in byte order, on one page and over many", async () => {
    const sorted = KEYS.toSorted(byUtf8);
    expect(await listed(bucket, "")).toEqual(sorted);
    const paged: string[] = [];
    for (let after = ""; ;) {
      const page = await listed(bucket, `&max-keys=7&start-after=${encodeURIComponent(after)}`);
      paged.push(...page);
      after = page.at(-1) ?? "";
      if (page.length === 0) break;
    }
    expect(paged).toEqual(sorted);
  });

  it("work as prefixes and markers", async () => {
    const sorted = KEYS.toSorted(byUtf8);
    for (const key of KEYS) {
      const text = encodeURIComponent(key);
      expect(await listed(bucket, `&prefix=${text}`), JSON.stringify(key)).toEqual(
        sorted.filter((other) => other.startsWith(key)),
      );
      expect(await listed(bucket, `&max-keys=2&start-after=${text}`), JSON.stringify(key)).toEqual(
        sorted.slice(sorted.indexOf(key) + 1).slice(0, 2),
      );
    }
  });

  it("work as delimiters", async () => {
    for (const delimiter of KEYS.filter((key) => key.length < 10)) {
      const response = await send(
        "GET",
        `/${bucket}?list-type=2&encoding-type=url&delimiter=${encodeURIComponent(delimiter)}`,
      );
      const root = readXml(await response.text());
      const prefixes = new Set(
        KEYS.filter((key) => key.includes(delimiter)).map((key) => key.slice(0, key.indexOf(delimiter)) + delimiter),
      );
      const shown = childrenOf(root, "CommonPrefixes").map((entry) => decodeListed(textOf(entry, "Prefix") ?? ""));
      expect(shown, JSON.stringify(delimiter)).toEqual(Array.from(prefixes).toSorted(byUtf8));
      expect(childrenOf(root, "Contents"), JSON.stringify(delimiter)).toHaveLength(
        KEYS.filter((key) => !key.includes(delimiter)).length,
      );
    }
  });

  it("never make a listing without encoding-type malformed", async () => {
    const response = await send("GET", `/${bucket}`);
    const keys = childrenOf(readXml(await response.text()), "Contents").map((entry) => textOf(entry, "Key"));
    const sorted = KEYS.toSorted(byUtf8);
    expect(keys).toHaveLength(sorted.length);
    for (const [index, key] of sorted.entries()) {
      if (!UNWRITABLE.test(key)) expect(keys[index]).toBe(key);
    }
  });

  it("are deleted one by one and in batches, without affecting other keys", async () => {
    const left = new Set(KEYS);
    for (const key of KEYS.filter((key, index) => index % 2 === 0 || UNWRITABLE.test(key))) {
      expect((await send("DELETE", pathOf(bucket, key))).status, JSON.stringify(key)).toBe(204);
      expect((await send("HEAD", pathOf(bucket, key))).status, JSON.stringify(key)).toBe(404);
      left.delete(key);
    }
    expect(new Set(Object.keys((await storedStateOf(bucket)).objects))).toEqual(left);

    const [kept, ...others] = Array.from(left);
    const escaped = others.map((key) => key.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"));
    const entries = escaped.map((key) => `<Object><Key>${key.replaceAll("\r", "&#13;")}</Key></Object>`);
    const body = utf8(`<Delete>${entries.join("")}</Delete>`);
    const headers = { "content-md5": md5Base64(body) };
    const response = await send("POST", `/${bucket}?delete`, { body, headers });
    expect(response.status).toBe(200);
    const root = readXml(await response.text());
    expect(childrenOf(root, "Error")).toEqual([]);
    expect(childrenOf(root, "Deleted").map((entry) => textOf(entry, "Key"))).toEqual(others);
    const storedState = await storedStateOf(bucket);
    expect(Object.keys(storedState.objects)).toEqual([kept]);
    expectNothingLeftOver(storedState);
  });
});

describe("an invalid key", () => {
  it.each(["%ff", "%c3", "%c0%af", "%ed%a0%80", "%f4%90%80%80", "%zz", "%4", "a%", "%00", "a%00b"])(
    "returns InvalidURI: %s",
    async (raw) => {
      const bucket = await freshBucket();
      await expectNoTrace(bucket, async () =>
        expectS3Error(await send("PUT", `/${bucket}/${raw}`, { body: "x" }), {
          status: 400,
          code: "InvalidURI",
          fields: { URI: raw },
        }),
      );
    },
  );

  it.each(["prefix=%ff", "%ff=x", "delimiter=%c0%af", "marker=%zz"])(
    "returns InvalidURI in a query too: %s",
    async (query) => {
      const response = await send("GET", `/${await freshBucket()}?${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("<Code>InvalidURI</Code>");
    },
  );
});

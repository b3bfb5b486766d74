// The pages of all listings are exactly the documents that elements would render, for any keys.
import { beforeAll, describe, expect, it } from "vitest";

import { utf8 } from "../../src/bytes/text.ts";
import { element, parseXml, renderXml, type XmlElement, type XmlNode } from "../../src/bytes/xml.ts";
import { S3_NAMESPACE } from "../../src/protocol/core/s3-error.ts";
import { send } from "../support/client.ts";
import { freshBucket } from "../support/fresh-bucket.ts";
import { createUpload } from "../support/multipart.ts";

const KEYS = [
  "plain",
  "a/b",
  "a/c",
  "<&>\"'/x",
  "]]>",
  "a\nb",
  "a\rb",
  "\u0001",
  "\u{1f600}/é",
  " spaces ",
  "100%+",
  "\ufffe",
  "a&amp;b",
  "'/'",
];

let bucket = "";
let uploadId = "";
beforeAll(async () => {
  bucket = await freshBucket();
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  for (const key of KEYS) {
    const path = `/${bucket}/${encodeURIComponent(key)}`;
    const headers = { "x-amz-checksum-algorithm": "SHA256" };
    expect((await send("PUT", path, { body: "x", headers })).status).toBe(200);
    uploadId = await createUpload(bucket, key);
  }
  expect((await send("PUT", `/${bucket}?versioning`, { body: versioning })).status).toBe(200);
  for (const key of KEYS) {
    expect((await send("DELETE", `/${bucket}/${encodeURIComponent(key)}`)).status).toBe(204);
    expect((await send("PUT", `/${bucket}/${encodeURIComponent(key)}`, { body: "yy" })).status).toBe(200);
  }
  for (const partNumber of [1, 3, 2]) {
    const path = `/${bucket}/${encodeURIComponent(KEYS.at(-1) ?? "")}?partNumber=${partNumber}&uploadId=${uploadId}`;
    expect((await send("PUT", path, { body: "part" })).status).toBe(200);
  }
});

/** The elements of a parsed document, without attributes. */
function elementOf({ name, text, children }: XmlNode): XmlElement {
  return element(name, children.length > 0 ? children.map(elementOf) : text);
}

const LISTINGS = ["", "list-type=2", "list-type=2&fetch-owner=true", "versions", "uploads"].flatMap((listing) =>
  ["", "&delimiter=/", "&encoding-type=url", "&delimiter=/&encoding-type=url", "&prefix=a", "&prefix=none"].map(
    (more) => `${listing}${more}`,
  ),
);

describe("the text of a listing", () => {
  it.each(LISTINGS)("?%s equals what elements render", async (query) => {
    const text = await (await send("GET", `/${bucket}?${query}`)).text();
    const root = parseXml(utf8(text), 10_000);
    expect(root).toBeDefined();
    if (root === undefined) return;
    const { name, content } = elementOf(root);
    expect(text).toBe(renderXml({ name, content, attributes: { xmlns: S3_NAMESPACE } }));
    if (!query.includes("none")) expect(root.children.length).toBeGreaterThan(6);
  });

  it("of parts equals what elements render", async () => {
    const path = `/${bucket}/${encodeURIComponent(KEYS.at(-1) ?? "")}?uploadId=${uploadId}`;
    const text = await (await send("GET", path)).text();
    const root = parseXml(utf8(text), 10_000);
    const parts = root?.children.filter(({ name }) => name === "Part") ?? [];
    expect(parts.map(({ children }) => children[0]?.text)).toEqual(["1", "2", "3"]);
    if (root === undefined) return;
    const { name, content } = elementOf(root);
    expect(text).toBe(renderXml({ name, content, attributes: { xmlns: S3_NAMESPACE } }));
  });
});

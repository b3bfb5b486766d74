// Tags as clients set and read them.
import { expect } from "vitest";

import { send, type SendOptions } from "./client.ts";
import { md5Base64, utf8 } from "./digests.ts";
import { childrenOf, readXml, textOf } from "./read-xml.ts";

/** A Tagging document. */
export function taggingOf(tags: Readonly<Record<string, string>>): string {
  const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const set = Object.entries(tags).map(
    ([key, value]) => `<Tag><Key>${escape(key)}</Key><Value>${escape(value)}</Value></Tag>`,
  );
  return `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${set.join("")}</TagSet></Tagging>`;
}

/** Puts a Tagging document with its MD5. */
export function sendTagging(
  target: string,
  body: string,
  headers: NonNullable<SendOptions["headers"]> = {},
): Promise<Response> {
  return send("PUT", target, { body, headers: { "content-md5": md5Base64(utf8(body)), ...headers } });
}

/** The tags that a bucket, an object or a version has. */
export async function tagsOf(target: string): Promise<Record<string, string>> {
  const response = await send("GET", target);
  expect(response.status).toBe(200);
  const [set] = childrenOf(readXml(await response.text()), "TagSet");
  if (set === undefined) throw new Error("no TagSet");
  return Object.fromEntries(
    childrenOf(set, "Tag").map((tag) => [textOf(tag, "Key") ?? "", textOf(tag, "Value") ?? ""]),
  );
}

/** Invalid tag documents, with the expected error. */
export function unsoundTaggings(
  of: "Object" | "Bucket",
): readonly (readonly [
  name: string,
  document: string,
  error: { status: number; code: string; message?: string; fields?: Record<string, string> },
])[] {
  const tag = (key: string, value: string): string => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  const document = (content: string): string => `<Tagging><TagSet>${content}</TagSet></Tagging>`;
  const invalid = (message: string, fields: Record<string, string>) => ({
    status: 400,
    code: "InvalidTag",
    message,
    fields,
  });
  const malformed = { status: 400, code: "MalformedXML" };
  const system =
    of === "Object" ? "Your TagKey cannot be prefixed with aws:" : "System tags cannot be added/updated by requester";
  const eleven = Array.from({ length: 11 }, (_, index) => tag(`k${index}`, "")).join("");
  const wrongKey = "The TagKey you have provided is invalid";
  const wrongValue = "The TagValue you have provided is invalid";
  return [
    [
      "eleven tags",
      document(eleven),
      { status: 400, code: "BadRequest", message: `${of} tags cannot be greater than 10` },
    ],
    ["an empty key", document(tag("", "1")), invalid(wrongKey, { TagKey: "" })],
    ["a key of 129 characters", document(tag("k".repeat(129), "")), invalid(wrongKey, { TagKey: "k".repeat(129) })],
    ["a key with a forbidden character", document(tag("a#b", "")), invalid(wrongKey, { TagKey: "a#b" })],
    [
      "a value of 257 characters",
      document(tag("k", "v".repeat(257))),
      invalid(wrongValue, { TagKey: "k", TagValue: "v".repeat(257) }),
    ],
    [
      "a value with a forbidden character",
      document(tag("k", "a;b")),
      invalid(wrongValue, { TagKey: "k", TagValue: "a;b" }),
    ],
    ["a key of the system's", document(tag("aws:x", "1")), invalid(system, { TagKey: "aws:x" })],
    [
      "a key twice",
      document(tag("k", "1") + tag("k", "2")),
      invalid("Cannot provide multiple Tags with the same key", { TagKey: "k" }),
    ],
    ["no value", document("<Tag><Key>k</Key></Tag>"), malformed],
    ["no key", document("<Tag><Value>k</Value></Tag>"), malformed],
    ["two keys in a tag", document("<Tag><Key>a</Key><Key>b</Key><Value/></Tag>"), malformed],
    ["something else among the tags", document("<Label/>"), malformed],
    ["no tag set", "<Tagging/>", malformed],
    ["another document", "<Tags><TagSet/></Tags>", malformed],
    ["no XML", "k=v", malformed],
    ["nothing", "", malformed],
  ];
}

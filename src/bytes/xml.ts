// Writes and parses XML. Written documents consist of elements and of the texts that xml-text.ts writes. Documents are
// checked for size, depth and declarations before they are parsed to plain nodes with verbatim text.
import { XMLParser, XMLValidator } from "fast-xml-parser";

import { decodeUtf8 } from "./text.ts";
import { isWithinLimits } from "./xml-limits.ts";
import { escapeText, type XmlText } from "./xml-text.ts";

/** What an element can contain: an element, a written text, or nothing. */
export type XmlContent = XmlElement | XmlText | undefined;

/** An element to write: its name, and text, children or nothing. Undefined children are omitted. */
export interface XmlElement {
  readonly name: string;
  readonly content: string | readonly XmlContent[];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Makes an element of a text, a number, a boolean or child elements. */
export function element(
  name: string,
  content: string | number | boolean | readonly XmlContent[] = [],
  attributes?: Readonly<Record<string, string>>,
): XmlElement {
  const value = typeof content === "number" || typeof content === "boolean" ? String(content) : content;
  return attributes === undefined ? { name, content: value } : { name, content: value, attributes };
}

/** Makes an element unless its value is undefined. */
export function optionalElement(name: string, value: string | number | boolean | undefined): XmlElement | undefined {
  return value === undefined ? undefined : element(name, value);
}

/** The document with its declaration. */
export function renderXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${renderElement(root)}`;
}

function renderElement({ name, content, attributes }: XmlElement): string {
  let open = `<${name}`;
  for (const [attribute, value] of Object.entries(attributes ?? {})) open += ` ${attribute}="${escapeText(value)}"`;
  if (content.length === 0) return `${open}/>`;
  let inner = "";
  if (typeof content === "string") inner = escapeText(content);
  else for (const child of content) inner += renderContent(child);
  return `${open}>${inner}</${name}>`;
}

function renderContent(content: XmlContent): string {
  if (content === undefined) return "";
  return "xml" in content ? content.xml : renderElement(content);
}

/** A parsed element: its local name, its own text verbatim, its children in order. */
export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: "#cdata",
  removeNSPrefix: true,
  maxNestedTags: 20,
});

const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Parses a document; undefined if it is not well-formed XML in UTF-8, or contains declarations.
 * @param maxElements longer documents are not parsed
 */
export function parseXml(bytes: Uint8Array, maxElements: number): XmlNode | undefined {
  const text = decodeUtf8(bytes)?.replace(/^\ufeff/, "");
  // A DTD could define entities and no S3 client sends one, so it is rejected. Comments and CDATA are accepted.
  if (text === undefined || /<!(?!--|\[CDATA\[)/.test(text) || text.includes("\0")) return undefined;
  if (!isWithinLimits(text, maxElements)) return undefined;
  if (XMLValidator.validate(text) !== true) return undefined;
  try {
    const parsed: unknown = PARSER.parse(text);
    const nodes = readNodes(parsed);
    return nodes.length === 1 ? nodes[0] : undefined;
  } catch {
    // The parser throws on excessive depth, reserved names and malformed entities.
    return undefined;
  }
}

function readNodes(value: unknown): XmlNode[] {
  if (!Array.isArray(value)) return [];
  const nodes: XmlNode[] = [];
  for (const item of value as readonly unknown[]) {
    if (typeof item !== "object" || item === null) continue;
    for (const [name, content] of Object.entries(item)) {
      if (name.startsWith("#") || name === ":@") continue;
      nodes.push({ name, text: readText(content), children: readNodes(content) });
    }
  }
  return nodes;
}

function readText(value: unknown): string {
  if (!Array.isArray(value)) return "";
  let text = "";
  for (const item of value as readonly unknown[]) {
    if (typeof item !== "object" || item === null) continue;
    const piece: unknown = Reflect.get(item, "#text");
    if (typeof piece === "string") text += decodeEntities(piece);
    text += readVerbatim(Reflect.get(item, "#cdata"));
  }
  return text;
}

/** The text of a CDATA section, in which `&` is literal. */
function readVerbatim(section: unknown): string {
  const [item]: readonly unknown[] = Array.isArray(section) ? section : [];
  const text: unknown = typeof item === "object" && item !== null ? Reflect.get(item, "#text") : undefined;
  return typeof text === "string" ? text : "";
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-fA-F]+|\w+);|&/g, (_, body: string | undefined) => {
    if (body === undefined) throw new Error("bare ampersand");
    if (!body.startsWith("#")) {
      const character = Object.hasOwn(NAMED_ENTITIES, body) ? NAMED_ENTITIES[body] : undefined;
      if (character === undefined) throw new Error("unknown entity");
      return character;
    }
    const point = body[1] === "x" ? Number.parseInt(body.slice(2), 16) : Number.parseInt(body.slice(1), 10);
    if (!(point > 0 && point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff)) throw new Error("no such character");
    return String.fromCodePoint(point);
  });
}

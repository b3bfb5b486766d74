// Reads and writes the XML of S3, IAM and STS with the browser's own parser.

/** @throws Error for a text that is not XML */
export function parseXml(text: string): Element {
  const document = new DOMParser().parseFromString(text, "application/xml");
  const root = document.documentElement;
  if (document.querySelector("parsererror") !== null) throw new Error("the answer is not XML");
  return root;
}

/** The child elements with a name. */
export function childrenOf(parent: Element | undefined, name: string): Element[] {
  return Array.from(parent?.children ?? []).filter(({ localName }) => localName === name);
}

/** The first child element along a path of names. */
export function childOf(parent: Element | undefined, ...path: readonly string[]): Element | undefined {
  let found = parent;
  for (const name of path) {
    // Long listings have thousands of elements: no list of them is made for one.
    let child = found?.firstElementChild ?? undefined;
    while (child !== undefined && child.localName !== name) child = child.nextElementSibling ?? undefined;
    found = child;
  }
  return found;
}

/** The text of the first element along a path; undefined if there is none. */
export function optionalText(parent: Element | undefined, ...path: readonly string[]): string | undefined {
  return childOf(parent, ...path)?.textContent ?? undefined;
}

/** The text of the first element along a path; empty if there is none. */
export function textOf(parent: Element | undefined, ...path: readonly string[]): string {
  return optionalText(parent, ...path) ?? "";
}

/** The number in the first element along a path; 0 if there is none. */
export function numberOf(parent: Element | undefined, ...path: readonly string[]): number {
  return Number(textOf(parent, ...path)) || 0;
}

/** Content of an element that is written: text, elements, or nothing. */
export type Content = string | number | boolean | Markup | undefined | readonly Content[];

/** Text that is already XML. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An element. */
export function tag(name: string, content?: Content, attributes: Readonly<Record<string, string>> = {}): Markup {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(value)}"`);
  return new Markup(`<${name}${written.join("")}>${write(content)}</${name}>`);
}

/** A document in S3's namespace. */
export function s3Document(name: string, content?: Content): string {
  return tag(name, content, { xmlns: "http://s3.amazonaws.com/doc/2006-03-01/" }).text;
}

/** Whether XML 1.0 can contain a text. A document cannot name keys with control characters. */
export function isXmlText(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/.test(text) && text.isWellFormed();
}

function write(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(write).join("");
  return escape(String(content));
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;");
}

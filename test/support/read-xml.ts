// A small reader for the Worker's XML: stricter than necessary, and independent of the Worker's own parser. It rejects
// anything unknown.

/** An element of a document. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const TOKEN = /<(\/?)([A-Za-z][\w-]*)((?: [A-Za-z:]+="[^"<]*")*)(\/?)>|([^<]+)/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The root element of a document. */
export function readXml(text: string): Element {
  if (!text.startsWith(DECLARATION)) throw new Error(`no XML declaration: ${text.slice(0, 100)}`);
  const root: Open = { name: "", attributes: {}, text: "", children: [] };
  const open: Open[] = [root];
  TOKEN.lastIndex = DECLARATION.length;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    const current = open.at(-1);
    if (match === null || current === undefined) throw new Error(`malformed XML at ${text.slice(at, at + 100)}`);
    const [, slash, name = "", attributes = "", isEmpty, content] = match;
    if (content !== undefined) {
      current.text += decode(content);
    } else if (slash === "/") {
      if (current.name !== name || open.length === 1) throw new Error(`</${name}> closes <${current.name}>`);
      open.pop();
    } else {
      const child: Open = { name, attributes: readAttributes(attributes), text: "", children: [] };
      current.children.push(child);
      if (isEmpty !== "/") open.push(child);
    }
  }
  const [document, ...others] = root.children;
  if (open.length !== 1 || document === undefined || others.length > 0 || root.text !== "") {
    throw new Error(`not one whole document: ${text.slice(0, 200)}`);
  }
  return document;
}

/** The names of an element's children, in order. */
export function namesOf(element: Element): string[] {
  return element.children.map(({ name }) => name);
}

/** The children with a name. */
export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the only child with a name; undefined when there is none. */
export function textOf(element: Element, name: string): string | undefined {
  const found = childrenOf(element, name);
  if (found.length > 1) throw new Error(`${found.length} elements ${name}`);
  return found[0]?.text;
}

/** An element without children as its text, any other as an object by the names of its children, which must differ. */
export function plain(element: Element): unknown {
  if (element.children.length === 0) return element.text;
  const fields = new Map<string, unknown>();
  for (const child of element.children) {
    if (fields.has(child.name)) throw new Error(`${child.name} stands twice in ${element.name}`);
    fields.set(child.name, plain(child));
  }
  return Object.fromEntries(fields);
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
  readonly children: Open[];
}

function readAttributes(text: string): Record<string, string> {
  const pairs = Array.from(text.matchAll(/ ([A-Za-z:]+)="([^"<]*)"/g), ([, name = "", value = ""]) => [
    name,
    decode(value),
  ]);
  return Object.fromEntries(pairs);
}

function decode(text: string): string {
  return text.replaceAll(/&(#\d+|#x[0-9a-fA-F]+|\w+);|&/g, (whole, body: string | undefined) => {
    const named = ENTITIES[body ?? ""];
    if (named !== undefined) return named;
    if (body?.startsWith("#") !== true) throw new Error(`unknown entity ${whole}`);
    return String.fromCodePoint(Number(body.startsWith("#x") ? `0${body.slice(1)}` : body.slice(1)));
  });
}

// Writes elements of long documents as text: a page of a listing has thousands of them, and objects for each would cost
// more than everything else that the request does. The result is the same as that of elements.

/** Written XML. Only this file and the writers that are made of its functions create it. */
export interface XmlText {
  readonly xml: string;
}

/** Writes an element that contains text. */
export function textElement(name: string, text: string): string {
  return text === "" ? `<${name}/>` : `<${name}>${escapeText(text)}</${name}>`;
}

/** Writes an element that contains text, unless that is undefined. */
export function optionalTextElement(name: string, text: string | undefined): string {
  return text === undefined ? "" : textElement(name, text);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
};

// XML 1.0 cannot represent most control characters. A replacement character keeps a listing readable.
const UNWRITABLE =
  // oxlint-disable-next-line no-control-regex
  /[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Escapes text for content and attributes. */
export function escapeText(text: string): string {
  if (!/[^\w\-./:+= ]/.test(text)) return text;
  const escaped = text.replaceAll(/[&<>"'\r]/g, (character) => ESCAPES[character] ?? character);
  // Most texts that need escaping are ETags in quotes, which need no search for characters that XML lacks.
  return /[^\t\n -~]/.test(escaped) ? escaped.replaceAll(UNWRITABLE, "\ufffd") : escaped;
}

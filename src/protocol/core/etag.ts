// ETags: stored without quotes, quoted in responses, and accepted in every form that clients send.
import { escapeText } from "../../bytes/xml-text.ts";

/** The quoted form for headers and XML. */
export function quoteEtag(etag: string): string {
  return `"${etag}"`;
}

/** The element that contains the quoted form. */
export function etagElement(etag: string): string {
  return `<ETag>&quot;${escapeText(etag)}&quot;</ETag>`;
}

/** An ETag without quotes and weak prefix. */
export function bareEtag(text: string): string {
  return text
    .trim()
    .replace(/^W\//, "")
    .replace(/^"(.*)"$/, "$1");
}

const LISTED = /\s*((?:W\/)?(?:"[^"]*"|[^\s",]+))\s*(?:,|$)/y;

/** Parses a list of ETags, without quotes; undefined if the list is invalid. */
export function parseEtagList(list: string): readonly string[] | undefined {
  const found: string[] = [];
  LISTED.lastIndex = 0;
  while (LISTED.lastIndex < list.length) {
    const item = LISTED.exec(list)?.[1];
    if (item === undefined) return undefined;
    found.push(bareEtag(item));
  }
  return found.length === 0 ? undefined : found;
}

/** Whether a list of ETags, or `*`, contains an ETag. An undefined ETag (no object) and an invalid list never match. */
export function etagListMatches(list: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return list.trim() === "*" || parseEtagList(list)?.includes(etag) === true;
}

// ETags: stored bare, quoted on the wire, and accepted in every form that clients send them.

/** The quoted form, for headers and XML. */
export function quoteEtag(etag: string): string {
  return `"${etag}"`;
}

/** An ETag as a client wrote it (quoted, bare, weak) without its decoration. */
export function bareEtag(text: string): string {
  return text
    .trim()
    .replace(/^W\//, "")
    .replace(/^"(.*)"$/, "$1");
}

const LISTED = /\s*((?:W\/)?(?:"[^"]*"|[^\s",]+))\s*(?:,|$)/y;

/** The ETags of a list, bare; undefined where the text is no list of ETags. */
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

/**
 * Whether a list of ETags, or `*`, names this one. Undefined is the ETag of nothing, which no list names. A text that is
 * no list names none.
 */
export function etagListMatches(list: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return list.trim() === "*" || parseEtagList(list)?.includes(etag) === true;
}

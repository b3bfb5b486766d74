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

/** Whether a list of ETags, or `*`, names this one. Undefined is the ETag of nothing, which no list names. */
export function etagListMatches(list: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return list.trim() === "*" || list.split(",").some((item) => bareEtag(item) === etag);
}

// Counts a document's markup before a parser makes objects of it: an element of four bytes takes several hundred in
// memory.

/** The longest tag, in characters: its name, its attributes and their values. */
const TAG_MAX_LENGTH = 4096;

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const GREATER = 0x3e;

/** The start and end of markup other than tags. Anything else between `<` and `>` is a tag. */
const RUNS = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
] as const;

/**
 * Whether a document has at most `maxElements` elements, comments, sections and instructions, and no overlong tag. The
 * document need not be well-formed.
 */
export function isWithinLimits(text: string, maxElements: number): boolean {
  let count = 0;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    if (text.charCodeAt(at + 1) !== SLASH) count += 1;
    const end = endOf(text, at);
    if (end === undefined || count > maxElements) return false;
    at = end;
  }
  return true;
}

/** The end of the markup that begins at a position; undefined if it is too far away or missing. */
function endOf(text: string, start: number): number | undefined {
  const run = RUNS.find(([open]) => text.startsWith(open, start));
  if (run === undefined) return endOfTag(text, start);
  const [open, close] = run;
  const end = text.indexOf(close, start + open.length);
  return end < 0 ? undefined : end + close.length;
}

/** The end of a tag: the first `>` outside its quoted values. */
function endOfTag(text: string, start: number): number | undefined {
  const limit = Math.min(text.length, start + TAG_MAX_LENGTH);
  let quote = 0;
  for (let at = start + 1; at < limit; at += 1) {
    const unit = text.charCodeAt(at);
    if (quote !== 0) quote = unit === quote ? 0 : quote;
    else if (unit === QUOTE || unit === APOSTROPHE) quote = unit;
    else if (unit === GREATER) return at + 1;
  }
  return undefined;
}

// Which keys of a bucket are walked over: those that begin with one of some prefixes, each of them once, in order.
import { compareUtf8, successorOfPrefix } from "../../bytes/text.ts";

/** Keys from `from` on and below `before`; undefined: without end. */
export interface KeyRange {
  readonly from: string;
  readonly before: string | undefined;
}

/** The ranges of the keys that begin with one of the prefixes, as far as they are not before a key; in order. */
export function rangesOfPrefixes(prefixes: readonly string[], start: string): KeyRange[] {
  const ranges: KeyRange[] = [];
  let covering: string | undefined;
  for (const prefix of Array.from(new Set(prefixes)).sort(compareUtf8)) {
    // In this order, a prefix comes before whatever begins with it.
    if (covering !== undefined && prefix.startsWith(covering)) continue;
    covering = prefix;
    const before = successorOfPrefix(prefix);
    if (before !== undefined && compareUtf8(before, start) <= 0) continue;
    ranges.push({ from: compareUtf8(prefix, start) < 0 ? start : prefix, before });
  }
  return ranges;
}

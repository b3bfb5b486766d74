// Turns a set of prefixes into disjoint key ranges, so that a scan visits each key once and in order.
import { compareUtf8, successorOfPrefix } from "../../bytes/text.ts";

/** Keys from `from` (inclusive) to `before` (exclusive; undefined: no upper bound). */
export interface KeyRange {
  readonly from: string;
  readonly before: string | undefined;
}

/** Returns, in order, the ranges of all keys that have one of the prefixes and are not less than `start`. */
export function rangesOfPrefixes(prefixes: readonly string[], start: string): KeyRange[] {
  const ranges: KeyRange[] = [];
  let covering: string | undefined;
  for (const prefix of Array.from(new Set(prefixes)).sort(compareUtf8)) {
    // Sorting puts a prefix before all longer prefixes that it covers.
    if (covering !== undefined && prefix.startsWith(covering)) continue;
    covering = prefix;
    const before = successorOfPrefix(prefix);
    if (before !== undefined && compareUtf8(before, start) <= 0) continue;
    ranges.push({ from: compareUtf8(prefix, start) < 0 ? start : prefix, before });
  }
  return ranges;
}

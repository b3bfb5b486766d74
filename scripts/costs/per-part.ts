// Looks up counts, and derives what each part of a multipart object adds.
import type { Counted } from "./count.ts";
import { PARTS } from "./operations.ts";
import { NOTHING, plus, type Tally } from "./tally.ts";

/** The counted operations by id. */
export type Counts = ReadonlyMap<string, Counted>;

/** @throws Error if the operation is not counted */
export function countedOf(counts: Counts, id: string): Counted {
  const found = counts.get(id);
  if (found === undefined) throw new Error(`${id} is not counted`);
  return found;
}

/** @throws Error if the operation is not counted */
export function tallyOf(counts: Counts, id: string): Tally {
  return countedOf(counts, id).tally;
}

/** What one more part adds to a completion, and to a read of the object. */
export function perPart(counts: Counts): { readonly completion: Tally; readonly read: Tally } {
  const share = (many: string, one: string): Tally =>
    plus(NOTHING, plus(tallyOf(counts, many), tallyOf(counts, one), -1), 1 / (PARTS - 1));
  return { completion: share("complete", "complete-1"), read: share("get-parts", "get") };
}

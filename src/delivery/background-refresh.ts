// Reads aging values again after the response. Many requests use an aging value at once, and one of them per isolate
// reads it again.
import type { DeliveryContext } from "./delivery-context.ts";

const REPEAT_MS = 2000;
const MAX_ENTRIES = 1000;

/** When the reads of each path last began, in milliseconds since the epoch. */
const BEGUN = new Map<string, number>();

/** Starts a read unless one of the same path began a moment ago. A failed read leaves the aging value. */
export function refreshLater(
  { now, cache, waitUntil }: DeliveryContext,
  path: string,
  read: () => Promise<unknown>,
): void {
  const name = cache.nameOf(path);
  const begun = BEGUN.get(name);
  if (begun !== undefined && now >= begun && now - begun < REPEAT_MS) return;
  if (BEGUN.size >= MAX_ENTRIES) BEGUN.clear();
  BEGUN.set(name, now);
  waitUntil(read().catch(() => undefined));
}

// Splits lists into JSON arrays that fit into SQL parameters.
import { utf8Length } from "../../bytes/text.ts";

// D1 accepts parameters of up to 2 MB.
const PAGE_BYTES = 500_000;

/** Returns JSON arrays that together contain all entries; no array for an empty list. */
export function jsonPages(entries: readonly unknown[]): string[] {
  const pages: string[][] = [];
  let size = PAGE_BYTES;
  for (const entry of entries) {
    const json = JSON.stringify(entry);
    size += utf8Length(json) + 1;
    if (size > PAGE_BYTES) {
      pages.push([]);
      size = utf8Length(json);
    }
    pages.at(-1)?.push(json);
  }
  return pages.map((page) => `[${page.join(",")}]`);
}

// Lists as parameters of statements: JSON arrays, as many as it takes for each to be short enough.
import { utf8Length } from "../../bytes/text.ts";

// A parameter may hold 2 MB.
const PAGE_BYTES = 500_000;

/** JSON arrays of all the entries, none of which is too long for a parameter; none where there is no entry. */
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

// A search: its fields in the address of its page, its conditions for the server, and its results page by page.
import { type NamedValue, type SearchConditions, searchObjects } from "../clients/search.ts";
import { type ObjectRow, rowOf } from "./object-list.ts";
import { type PagedRows, usePagedRows } from "./paged-rows.ts";
import { useConnection } from "./session.ts";

/** The fields of the form, by the names that they have in the address. */
export const SEARCH_FIELDS = [
  "text",
  "prefix",
  "suffix",
  "tags",
  "metadata",
  "type",
  "class",
  "min",
  "max",
  "after",
  "before",
] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];
export type SearchForm = Readonly<Record<SearchField, string>>;

export function readSearch(query: Readonly<Record<string, string>>): SearchForm {
  const at = (name: SearchField): string => query[name] ?? "";
  return {
    text: at("text"),
    prefix: at("prefix"),
    suffix: at("suffix"),
    tags: at("tags"),
    metadata: at("metadata"),
    type: at("type"),
    class: at("class"),
    min: at("min"),
    max: at("max"),
    after: at("after"),
    before: at("before"),
  };
}

export function isEmptySearch(form: SearchForm): boolean {
  return SEARCH_FIELDS.every((field) => form[field] === "");
}

function conditionsOf(form: SearchForm): SearchConditions {
  return {
    text: form.text,
    prefix: form.prefix,
    suffix: form.suffix,
    tags: namedValues(form.tags),
    metadata: namedValues(form.metadata).map(({ name, value }) => ({ name: name.toLowerCase(), value })),
    contentType: form.type,
    storageClass: form.class,
    minSize: bytesOf(form.min, Math.ceil),
    maxSize: bytesOf(form.max, Math.floor),
    modifiedAfter: dayOf(form.after, 0),
    // The day itself belongs to it.
    modifiedBefore: dayOf(form.before, 1),
  };
}

/** One entry on a line, `name` or `name=value`. */
function namedValues(text: string): NamedValue[] {
  return text.split("\n").flatMap((line) => {
    const at = line.indexOf("=");
    const [name, value] = at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    return name === "" ? [] : [{ name, value }];
  });
}

/** Sizes are typed in KiB. */
function bytesOf(text: string, round: (value: number) => number): number | undefined {
  return text === "" || Number.isNaN(Number(text)) ? undefined : round(Number(text) * 1024);
}

/** The beginning of a day of this device, or of one some days later. */
function dayOf(text: string, later: number): number | undefined {
  const start = new Date(`${text}T00:00`);
  if (text === "" || Number.isNaN(start.getTime())) return undefined;
  start.setDate(start.getDate() + later);
  return start.getTime();
}

/** The objects that match the conditions. Rows show whole keys. */
export function useObjectSearch(bucket: string, form: SearchForm, scans: boolean): PagedRows<ObjectRow> {
  const connection = useConnection();
  return usePagedRows(
    async (token, signal) => {
      const page = await searchObjects(connection, bucket, conditionsOf(form), { scans, token, signal });
      return { rows: page.objects.map((object) => rowOf(object, "")), nextToken: page.nextToken };
    },
    [bucket, scans, JSON.stringify(form)],
  );
}

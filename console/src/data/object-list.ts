// Lists the objects and folders below a prefix, page by page as they come into view.
import { type ListedObject, listObjects } from "../clients/objects.ts";
import { type PagedRows, usePagedRows } from "./paged-rows.ts";
import { useConnection } from "./session.ts";

/** A row: a folder, or an object. */
export type ObjectRow =
  | { readonly type: "folder"; readonly key: string; readonly name: string }
  | { readonly type: "object"; readonly key: string; readonly name: string; readonly object: ListedObject };

/** Folders and objects in the order of their keys. */
export function useObjectList(bucket: string, prefix: string): PagedRows<ObjectRow> {
  const connection = useConnection();
  return usePagedRows(
    async (token, signal) => {
      const page = await listObjects(connection, bucket, { prefix, delimiter: "/", token, signal });
      return { rows: rowsOf(prefix, page.prefixes, page.objects), nextToken: page.nextToken };
    },
    [bucket, prefix],
  );
}

/** The rows of a page. The key of the folder itself, which some clients make, is no row. */
function rowsOf(prefix: string, prefixes: readonly string[], objects: readonly ListedObject[]): ObjectRow[] {
  const folders = prefixes.map((key) => ({ type: "folder", key, name: key.slice(prefix.length) }) as const);
  const files = objects.filter(({ key }) => key !== prefix).map((object) => rowOf(object, prefix));
  return [...folders, ...files].toSorted((one, other) => compare(one.key, other.key));
}

/** The row of an object below a prefix. */
export function rowOf(object: ListedObject, prefix: string): ObjectRow {
  return { type: "object", key: object.key, name: object.key.slice(prefix.length), object };
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

// The view of a folder's list: its filter, its order and its selection.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { ObjectRow } from "../../data/object-list.ts";
import type { PagedRows } from "../../data/paged-rows.ts";

export type SortColumn = "name" | "size" | "modified";

export interface Sort {
  readonly column: SortColumn;
  readonly isDescending: boolean;
}

/** The order in which the server lists. */
const BY_NAME: Sort = { column: "name", isDescending: false };

/** A set of all keys costs time with each page of a long list. */
const EVERY_KEY = { has: () => true };

export interface FolderView {
  readonly rows: readonly ObjectRow[];
  readonly chosen: readonly ObjectRow[];
  readonly selected: Pick<ReadonlySet<string>, "has">;
  readonly filter: string;
  readonly filterBy: (text: string) => void;
  readonly sort: Sort;
  readonly sortBy: (column: SortColumn) => void;
  readonly toggle: (row: ObjectRow) => void;
  /** Selects all rows, loaded or not, or clears the selection if all are selected. */
  readonly toggleAll: () => void;
  readonly clear: () => void;
}

export function useFolderView(list: PagedRows<ObjectRow>): FolderView {
  const [filter, setFilter] = useState("");
  const [sort, setSort] = useState(BY_NAME);
  const [picked, setPicked] = useState<ReadonlySet<string> | "all">(new Set());
  const text = filter.trim().toLowerCase();
  const isSorted = sort.column !== BY_NAME.column || sort.isDescending;
  const rows = useMemo(() => {
    const shown = text === "" ? list.rows : list.rows.filter(({ name }) => name.toLowerCase().includes(text));
    return isSorted ? sorted(shown, sort) : shown;
  }, [list.rows, text, sort, isSorted]);
  // A filter, an order and a selection of all rows need the whole list.
  const needsAll = text !== "" || isSorted || picked === "all";
  useEffect(() => {
    if (needsAll && !list.isComplete && !list.isLoading && list.failure === undefined) list.loadMore();
  }, [needsAll, list]);
  const chosen = useMemo(() => (picked === "all" ? rows : rows.filter(({ key }) => picked.has(key))), [rows, picked]);
  const pickedKeys = (): ReadonlySet<string> => (picked === "all" ? new Set(rows.map(({ key }) => key)) : picked);
  return {
    rows,
    chosen,
    selected: picked === "all" ? EVERY_KEY : picked,
    filter,
    filterBy: (next) => {
      // A selection of all rows does not carry over to another filter.
      setPicked(pickedKeys());
      setFilter(next);
    },
    sort,
    sortBy: (column) =>
      setSort((before) => ({ column, isDescending: before.column === column && !before.isDescending })),
    toggle: ({ key }) => {
      const next = new Set(pickedKeys());
      if (!next.delete(key)) next.add(key);
      setPicked(next);
    },
    toggleAll: () => setPicked(picked === "all" || chosen.length === rows.length ? new Set() : "all"),
    clear: () => setPicked(new Set()),
  };
}

/** Folders have neither size nor time, so they come first, by name. */
function sorted(rows: readonly ObjectRow[], { column, isDescending }: Sort): ObjectRow[] {
  const [folders, files] = [rows.filter(({ type }) => type === "folder"), rows.filter(({ type }) => type === "object")];
  const sign = isDescending ? -1 : 1;
  if (column === "name")
    return isDescending ? [...folders.toReversed(), ...files.toReversed()] : [...folders, ...files];
  // Equal rows stay in the order of their keys.
  return [...folders, ...files.toSorted((one, other) => sign * (measureOf(one, column) - measureOf(other, column)))];
}

function measureOf(row: ObjectRow, column: "size" | "modified"): number {
  if (row.type === "folder") return 0;
  return column === "size" ? row.object.bytes : row.object.modifiedAt;
}

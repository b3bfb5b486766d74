// The objects and folders below a prefix, loaded page by page as they come into view.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ListedObject, listObjects } from "../clients/objects.ts";
import { useConnection } from "./session.ts";

/** A row: a folder, or an object. */
export type ObjectRow =
  | { readonly type: "folder"; readonly key: string; readonly name: string }
  | { readonly type: "object"; readonly key: string; readonly name: string; readonly object: ListedObject };

export interface ObjectList {
  /** Folders and objects in the order of their keys. */
  readonly rows: readonly ObjectRow[];
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  readonly failure: unknown;
  readonly loadMore: () => void;
  readonly reload: () => void;
  /** Hides rows whose deletion has succeeded, until the next reload. */
  readonly remove: (keys: ReadonlySet<string>) => void;
}

interface State {
  readonly rows: readonly ObjectRow[];
  /** Undefined before the first page, null after the last. */
  readonly token: string | undefined | null;
  readonly failure: unknown;
}

const EMPTY: State = { rows: [], token: undefined, failure: undefined };

export function useObjectList(bucket: string, prefix: string): ObjectList {
  const connection = useConnection();
  const [state, setState] = useState<State>(EMPTY);
  const [turn, setTurn] = useState(0);
  const [isLoading, setLoading] = useState(true);
  const pending = useRef<AbortController | undefined>(undefined);

  const load = useCallback(
    (token: string | undefined) => {
      const controller = new AbortController();
      pending.current = controller;
      setLoading(true);
      listObjects(connection, bucket, { prefix, delimiter: "/", token, signal: controller.signal }).then(
        ({ objects, prefixes, nextToken }) => {
          if (controller.signal.aborted) return;
          const page = rowsOf(prefix, prefixes, objects);
          setState((before) => ({
            rows: token === undefined ? page : [...before.rows, ...page],
            token: nextToken ?? null,
            failure: undefined,
          }));
          pending.current = undefined;
          setLoading(false);
        },
        (failure: unknown) => {
          if (controller.signal.aborted) return;
          setState((before) => ({ ...before, failure }));
          pending.current = undefined;
          setLoading(false);
        },
      );
    },
    [connection, bucket, prefix],
  );

  useEffect(() => {
    setState((before) => (turn === 0 ? EMPTY : { ...before, failure: undefined }));
    load(undefined);
    return () => {
      pending.current?.abort();
      pending.current = undefined;
    };
  }, [load, turn]);

  const { token } = state;
  const loadMore = useCallback(() => {
    if (typeof token === "string" && pending.current === undefined) load(token);
  }, [token, load]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const remove = useCallback(
    (keys: ReadonlySet<string>) =>
      setState((before) => ({ ...before, rows: before.rows.filter(({ key }) => !keys.has(key)) })),
    [],
  );
  const { rows, failure } = state;
  return useMemo(
    () => ({ rows, isComplete: token === null, isLoading, failure, loadMore, reload, remove }),
    [rows, token, isLoading, failure, loadMore, reload, remove],
  );
}

/** The rows of a page. The key of the folder itself, which some clients make, is no row. */
function rowsOf(prefix: string, prefixes: readonly string[], objects: readonly ListedObject[]): ObjectRow[] {
  const folders = prefixes.map((key) => ({ type: "folder", key, name: key.slice(prefix.length) }) as const);
  const files = objects
    .filter(({ key }) => key !== prefix)
    .map((object) => ({ type: "object", key: object.key, name: object.key.slice(prefix.length), object }) as const);
  return [...folders, ...files].toSorted((one, other) => compare(one.key, other.key));
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

// A list that is loaded page by page as it comes into view. After a failure, the loaded rows stay and only the failed page
// is requested again.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";

export interface RowPage<Row> {
  readonly rows: readonly Row[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
}

export interface PagedRows<Row> {
  readonly rows: readonly Row[];
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  readonly failure: unknown;
  readonly loadMore: () => void;
  /** Begins again at the first page. */
  readonly reload: () => void;
  /** Requests the failed page again. */
  readonly retry: () => void;
}

interface State<Row> {
  readonly rows: readonly Row[];
  /** Undefined before the first page, null after the last. */
  readonly token: string | undefined | null;
  readonly failure: unknown;
}

/**
 * Loads pages.
 * @param inputs the inputs of the pages; a change begins with an empty list
 */
export function usePagedRows<Row>(
  loadPage: (token: string | undefined, signal: AbortSignal) => Promise<RowPage<Row>>,
  inputs: readonly (string | number | boolean | undefined)[],
): PagedRows<Row> {
  const [state, setState] = useState<State<Row>>({ rows: [], token: undefined, failure: undefined });
  const [turn, setTurn] = useState(0);
  const [isLoading, setLoading] = useState(true);
  const pending = useRef<AbortController | undefined>(undefined);
  const newest = useRef(loadPage);
  newest.current = loadPage;
  const key = JSON.stringify(inputs);
  const shownKey = useRef(key);

  const load = useCallback((token: string | undefined): void => {
    const controller = new AbortController();
    pending.current = controller;
    setLoading(true);
    const finish = (change: (before: State<Row>) => State<Row>): void => {
      if (controller.signal.aborted) return;
      setState(change);
      pending.current = undefined;
      setLoading(false);
    };
    newest.current(token, controller.signal).then(
      ({ rows, nextToken }) =>
        finish((before) => ({
          rows: token === undefined ? rows : [...before.rows, ...rows],
          token: nextToken ?? null,
          failure: undefined,
        })),
      (failure: unknown) => finish((before) => ({ ...before, failure })),
    );
  }, []);

  useEffect(() => {
    const isSame = shownKey.current === key;
    shownKey.current = key;
    setState((before) =>
      isSame ? { ...before, failure: undefined } : { rows: [], token: undefined, failure: undefined },
    );
    load(undefined);
    return () => {
      pending.current?.abort();
      pending.current = undefined;
    };
  }, [load, key, turn]);

  const { rows, token, failure } = state;
  const loadMore = useCallback(() => {
    // After a failure, only a retry continues: a list that comes into view must not repeat requests without end.
    if (typeof token === "string" && failure === undefined && pending.current === undefined) load(token);
  }, [token, failure, load]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const retry = useCallback(() => {
    if (typeof token !== "string") return reload();
    setState((before) => ({ ...before, failure: undefined }));
    load(token);
  }, [token, load, reload]);
  return useMemo(
    () => ({ rows, isComplete: token === null, isLoading, failure, loadMore, reload, retry }),
    [rows, token, isLoading, failure, loadMore, reload, retry],
  );
}

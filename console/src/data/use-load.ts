// Loads the data of a component, again on request and when its inputs change.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<Value> {
  /** The latest value. It stays while it is loaded again. */
  readonly value: Value | undefined;
  /** Why the last attempt failed. */
  readonly failure: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
  /** Replaces the value without a call, after a change whose outcome is known. */
  readonly replace: (value: Value) => void;
}

/**
 * Loads a value.
 * @param inputs the inputs of the call; a change clears the value and loads it again
 */
export function useLoad<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly (string | number | boolean | undefined)[],
): Loaded<Value> {
  const [state, setState] = useState<Pick<Loaded<Value>, "value" | "failure" | "isLoading">>(LOADING);
  const [attempt, setAttempt] = useState(0);
  const newest = useRef(load);
  newest.current = load;
  const key = JSON.stringify(inputs);
  const shownKey = useRef(key);

  useEffect(() => {
    const controller = new AbortController();
    const isSame = shownKey.current === key;
    shownKey.current = key;
    setState((before) => (isSame ? { ...before, isLoading: true } : LOADING));
    newest.current(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value, failure: undefined, isLoading: false });
      },
      (failure: unknown) => {
        if (!controller.signal.aborted) setState((before) => ({ ...before, failure, isLoading: false }));
      },
    );
    return () => controller.abort();
  }, [key, attempt]);

  const reload = useCallback(() => setAttempt((before) => before + 1), []);
  const replace = useCallback((value: Value) => setState({ value, failure: undefined, isLoading: false }), []);
  return { ...state, reload, replace };
}

const LOADING = { value: undefined, failure: undefined, isLoading: true } as const;

// Sends a change, and exposes whether it is in progress and why it failed.
import { useState } from "preact/hooks";
import { showToast } from "./toasts.ts";

export interface Change {
  readonly isBusy: boolean;
  /** Why the last change failed. */
  readonly failure: unknown;
  /** Runs the change, and shows the message after a success. */
  readonly run: (work: () => Promise<void>, done?: string) => Promise<void>;
}

export function useChange(): Change {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const run = async (work: () => Promise<void>, done?: string): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await work();
      if (done !== undefined) showToast(done);
    } catch (thrown) {
      setFailure(thrown);
    }
    setBusy(false);
  };
  return { isBusy, failure, run };
}

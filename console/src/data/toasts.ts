// Short messages at the edge of the page, some with an action such as undo.
import { signal } from "@preact/signals";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: "success" | "failure";
  readonly action: { readonly label: string; readonly run: () => void } | undefined;
}

const SHOWN_MS = 6000;
/** A toast with an undo, or about a failure, stays longer. */
const SHOWN_LONG_MS = 12_000;

export const toasts = signal<readonly Toast[]>([]);
let last = 0;

/** Shows a message for some seconds, or until it is dismissed, and returns its id. */
export function showToast(
  text: string,
  {
    kind = "success",
    action,
    stays = false,
  }: Partial<Pick<Toast, "kind" | "action"> & { readonly stays: boolean }> = {},
): number {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value, { id, text, kind, action }];
  if (!stays) setTimeout(() => dismissToast(id), kind === "failure" || action !== undefined ? SHOWN_LONG_MS : SHOWN_MS);
  return id;
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

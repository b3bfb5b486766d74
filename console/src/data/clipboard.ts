// Copies a text to the clipboard and confirms it.
import { t } from "../i18n/language.ts";
import { showToast } from "./toasts.ts";

/** A browser may let the page copy only right after a click: the message then has a button that copies. */
export async function copyText(text: string, done: string, { isPartial = false } = {}): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast(done, isPartial ? { kind: "failure" } : {});
  } catch {
    const action = { label: t("action.copy"), run: () => void copyText(text, done, { isPartial }) };
    showToast(t("addresses.refused"), { kind: "failure", action });
  }
}

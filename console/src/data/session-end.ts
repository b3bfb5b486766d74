// Warns some minutes before temporary credentials end, while work can still be finished or the session be renewed.
import { effect, untracked } from "@preact/signals";
import { t } from "../i18n/language.ts";
import { formatTime } from "./formats.ts";
import { currentSession, type Session, signInAgain } from "./session.ts";
import { dismissToast, showToast } from "./toasts.ts";

const WARNED_MS = 5 * 60_000;
/** Timers stop while a device sleeps, so the end is compared with the clock again and again. */
const CHECKED_MS = 10_000;

/** Watches the session. Its end is compared with the server's clock, and shown in the device's time. */
export function warnBeforeEnd(): void {
  let shown: { readonly end: number; readonly toast: number } | undefined;
  const check = (session: Session | undefined): void => {
    const end = session?.expiresAt;
    if (shown !== undefined && shown.end !== end) {
      dismissToast(shown.toast);
      shown = undefined;
    }
    if (session === undefined || end === undefined || shown !== undefined) return;
    const left = end - session.connection.now();
    if (left <= 0 || left > WARNED_MS) return;
    const action = { label: t("error.signInAgain"), run: () => signInAgain() };
    const text = t("account.endsSoon", { time: formatTime(Date.now() + left) });
    shown = { end, toast: showToast(text, { action, stays: true }) };
  };
  effect(() => {
    const session = currentSession();
    untracked(() => check(session));
  });
  setInterval(() => check(currentSession()), CHECKED_MS);
}

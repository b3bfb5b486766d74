// A toast about a failure, with the action that helps: sign in again, or retry.
import { t } from "../i18n/language.ts";
import { explain, explainInOneLine } from "./explain.ts";
import { signInAgain } from "./session.ts";
import { showToast } from "./toasts.ts";

export interface FailureToast {
  /** Instead of the sentence about the failure. */
  readonly text?: string;
  readonly onRetry?: () => void;
}

export function showFailure(failure: unknown, { text, onRetry }: FailureToast = {}): void {
  const { wayOn } = explain(failure);
  const action =
    wayOn === "sign-in"
      ? { label: t("error.signInAgain"), run: () => signInAgain(onRetry) }
      : wayOn === "retry" && onRetry !== undefined
        ? { label: t("action.retry"), run: onRetry }
        : undefined;
  showToast(text ?? explainInOneLine(failure), { kind: "failure", action });
}

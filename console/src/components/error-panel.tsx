// Shows a failure: one plain sentence, the server's explanation, and an action that helps.
import { explain } from "../data/explain.ts";
import { hrefOf } from "../data/router.ts";
import { currentSession, signInAgain } from "../data/session.ts";
import { t } from "../i18n/language.ts";
import { Button, LinkButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

export interface ErrorPanelProps {
  readonly failure: unknown;
  /** Repeats the failed action. */
  readonly onRetry?: () => void;
}

export function ErrorPanel({ failure, onRetry }: ErrorPanelProps) {
  const { sentence, serverMessage, code, requestId, wayOn } = explain(failure);
  return (
    <div class="error-panel" role="alert">
      <Icon name="warning" />
      <div>
        <p class="sentence">{sentence}</p>
        {serverMessage === undefined ? null : <p class="server-message">{serverMessage}</p>}
        {code === undefined ? null : (
          <details>
            <summary>{t("error.details")}</summary>
            <dl>
              <dt>{t("error.code")}</dt>
              <dd>{code}</dd>
              {requestId === undefined ? null : (
                <>
                  <dt>{t("error.requestId")}</dt>
                  <dd>{requestId}</dd>
                </>
              )}
            </dl>
          </details>
        )}
        <p class="ways-on">
          {wayOn === "sign-in" && currentSession() !== undefined ? (
            <Button onClick={() => signInAgain(onRetry)}>{t("error.signInAgain")}</Button>
          ) : null}
          {wayOn === "buckets" ? <LinkButton href={hrefOf(["buckets"])}>{t("error.showBuckets")}</LinkButton> : null}
          {wayOn === "retry" && onRetry !== undefined ? (
            <Button icon="reload" onClick={onRetry}>
              {t("action.retry")}
            </Button>
          ) : null}
        </p>
      </div>
    </div>
  );
}

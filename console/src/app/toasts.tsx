// Toasts: short messages at the edge of the page, announced to assistive technology.
import { Button } from "../components/button.tsx";
import { dismissToast, toasts } from "../data/toasts.ts";
import { t } from "../i18n/language.ts";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind, action }) => (
        <div key={id} class={`toast ${kind}`}>
          <span dir="auto">{text}</span>
          {action === undefined ? null : (
            <Button
              kind="quiet"
              onClick={() => {
                dismissToast(id);
                action.run();
              }}
            >
              {action.label}
            </Button>
          )}
          <Button kind="quiet" icon="close" label={t("action.close")} onClick={() => dismissToast(id)} />
        </div>
      ))}
    </div>
  );
}

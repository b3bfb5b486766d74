// The actions of a setting's form: save, remove, and the error of the last change.
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import type { Change } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";

export interface FormActionsProps {
  readonly change: Change;
  readonly onSave: () => void;
  readonly canSave?: boolean;
  /** Removes the configuration; left out where there is none. */
  readonly onRemove?: (() => void) | undefined;
  readonly removeLabel?: string;
}

export function FormActions({ change, onSave, canSave = true, onRemove, removeLabel }: FormActionsProps) {
  return (
    <>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={onSave} />}
      <p class="actions">
        <Button kind="primary" isBusy={change.isBusy} isDisabled={!canSave} onClick={onSave}>
          {t("action.save")}
        </Button>
        {onRemove === undefined ? null : (
          <Button isBusy={change.isBusy} onClick={onRemove}>
            {removeLabel ?? t("settings.remove")}
          </Button>
        )}
      </p>
    </>
  );
}

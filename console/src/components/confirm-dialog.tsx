// Asks for confirmation of an action that cannot be undone, and for the typed name if much depends on it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n/language.ts";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorPanel } from "./error-panel.tsx";
import { TextField } from "./fields.tsx";

export interface ConfirmDialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  readonly confirmLabel: string;
  /** Of the button that confirms. */
  readonly kind?: "primary" | "danger";
  /** Must be typed before the button works. */
  readonly typedName?: string;
  /** The dialog stays open, with the reason, if this rejects. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, children, confirmLabel, kind = "danger", typedName, onConfirm, onClose } = props;
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const isReady = typedName === undefined || typed === typedName;
  const confirm = async (): Promise<void> => {
    if (!isReady || isBusy) return;
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setFailure(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={() => void confirm()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind={kind} type="submit" isDisabled={!isReady} isBusy={isBusy}>
            {confirmLabel}
          </Button>
        </>
      }
    >
      {children}
      {typedName === undefined ? null : (
        <TextField label={t("confirm.typeName", { name: typedName })} value={typed} onChange={setTyped} />
      )}
      {failure === undefined ? null : <ErrorPanel failure={failure} />}
    </Dialog>
  );
}

// A modal dialog: the browser's own, which keeps the focus inside and closes on Escape.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n/language.ts";
import { Button } from "./button.tsx";

export interface DialogProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Buttons at the end. */
  readonly actions?: ComponentChildren;
  readonly onClose: () => void;
  /** Makes the dialog a form. */
  readonly onSubmit?: () => void;
  readonly isWide?: boolean;
}

/** Shown while it is rendered. */
export function Dialog({ title, children, actions, onClose, onSubmit, isWide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog ref={element} class={`dialog${isWide ? " wide" : ""}`} aria-labelledby={titleId} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        <header>
          <h2 id={titleId}>{title}</h2>
          <Button kind="quiet" icon="close" label={t("action.close")} onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions === undefined ? null : <footer>{actions}</footer>}
      </form>
    </dialog>
  );
}

// A menu of actions behind a button: the browser's popover, which closes on Escape and on a click elsewhere.
import { useId, useRef } from "preact/hooks";
import { Button, type ButtonKind } from "./button.tsx";
import type { IconName } from "./icon.tsx";

export interface MenuAction {
  readonly label: string;
  readonly kind?: "plain" | "danger";
  /** Either a link or an action. */
  readonly href?: string;
  readonly onChoose?: () => void;
}

export interface MenuProps {
  /** The name of the button. */
  readonly label: string;
  readonly icon?: IconName;
  readonly kind?: ButtonKind;
  readonly actions: readonly MenuAction[];
}

export function Menu({ label, icon = "more", kind = "quiet", actions }: MenuProps) {
  const id = useId();
  const anchor = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  /** Below the button, and within the window. */
  const place = (): void => {
    const [button, menu] = [anchor.current, panel.current];
    if (button === null || menu === null) return;
    const { bottom, right, top } = button.getBoundingClientRect();
    const isAbove = bottom + menu.offsetHeight > innerHeight && top > menu.offsetHeight;
    menu.style.top = `${isAbove ? top - menu.offsetHeight : bottom}px`;
    menu.style.left = `${Math.max(8, right - menu.offsetWidth)}px`;
  };
  const close = (): void => panel.current?.hidePopover();
  const items = (): HTMLElement[] => Array.from(panel.current?.querySelectorAll<HTMLElement>("button, a") ?? []);
  /** Moves the focus with the arrow keys, from the last action to the first one and back. */
  const move = (event: KeyboardEvent): void => {
    const all = items();
    const at = all.findIndex((item) => item === document.activeElement);
    const targets: Readonly<Record<string, number>> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    all.at(target % all.length)?.focus();
  };
  return (
    <>
      <Button kind={kind} icon={icon} label={label} elementRef={anchor} popoverTarget={id} />
      <div
        id={id}
        ref={panel}
        class="menu"
        popover="auto"
        onToggle={(event) => {
          if (event.newState !== "open") return;
          place();
          items()[0]?.focus();
        }}
        onKeyDown={move}
      >
        {actions.map(({ label, kind: actionKind = "plain", href, onChoose }) =>
          href === undefined ? (
            <button
              key={label}
              type="button"
              class={actionKind}
              onClick={() => {
                close();
                onChoose?.();
              }}
            >
              {label}
            </button>
          ) : (
            <a key={label} href={href} onClick={close}>
              {label}
            </a>
          ),
        )}
      </div>
    </>
  );
}

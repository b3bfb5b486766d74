// Buttons, and links that look like one.
import type { ComponentChildren, Ref } from "preact";
import { Icon, type IconName } from "./icon.tsx";

export type ButtonKind = "primary" | "plain" | "danger" | "quiet";

export interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  /** The name of a button that shows only an icon. */
  readonly label?: string;
  readonly type?: "button" | "submit";
  readonly isDisabled?: boolean;
  /** Shows that the action is in progress, and disables the button. */
  readonly isBusy?: boolean;
  readonly onClick?: () => void;
  readonly elementRef?: Ref<HTMLButtonElement>;
  readonly popoverTarget?: string;
}

export function Button(props: ButtonProps) {
  const { children, kind = "plain", icon, label, type = "button", isDisabled = false, isBusy = false } = props;
  return (
    <button
      ref={props.elementRef ?? null}
      type={type}
      class={`button ${kind}${children === undefined ? " icon-only" : ""}`}
      aria-label={label}
      title={label}
      disabled={isDisabled || isBusy}
      aria-busy={isBusy}
      onClick={props.onClick}
      {...(props.popoverTarget === undefined ? {} : { popovertarget: props.popoverTarget })}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}

export interface LinkButtonProps {
  readonly href: string;
  readonly children: ComponentChildren;
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  readonly download?: string;
}

export function LinkButton({ href, children, kind = "plain", icon, download }: LinkButtonProps) {
  return (
    <a class={`button ${kind}`} href={href} {...(download === undefined ? {} : { download })}>
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </a>
  );
}

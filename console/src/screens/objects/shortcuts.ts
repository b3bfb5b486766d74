// The keyboard shortcuts of a list of objects.
import { useEffect, useRef } from "preact/hooks";
import type { PublicAddresses } from "../../clients/public-addresses.ts";
import type { ObjectRow } from "../../data/object-list.ts";
import { haveAddresses } from "../../data/public-addresses.ts";
import { type Ask, asksFor, canDownload, type Question } from "./row-actions.ts";

export interface ShortcutTargets {
  readonly bucket: string;
  readonly rows: readonly ObjectRow[];
  /** The selection. Shortcuts act on it, or on the focused row. */
  readonly chosen: readonly ObjectRow[];
  readonly focused: number | undefined;
  readonly setFocused: (index: number) => void;
  /** While a dialog is open. */
  readonly isDisabled: boolean;
  readonly onOpen: (row: ObjectRow) => void;
  readonly onUp: () => void;
  readonly onToggle: (row: ObjectRow) => void;
  readonly onToggleAll: () => void;
  readonly onFilter: () => void;
  readonly onDownload: (rows: readonly ObjectRow[]) => void;
  readonly onAsk: (question: Question) => void;
  readonly addresses: PublicAddresses | undefined;
  readonly onCopyAddresses: (rows: readonly ObjectRow[]) => void;
  readonly onHelp: () => void;
}

/** Keys that open a dialog. Of several actions, the first permitted one counts. */
const ASK_KEYS: Readonly<Record<string, readonly Ask[]>> = {
  m: ["move"],
  c: ["copy"],
  r: ["rename", "restore"],
  F2: ["rename"],
  Delete: ["delete"],
};

/** Listens to the page's keys, except while something is typed. */
export function useShortcuts(targets: ShortcutTargets): void {
  const newest = useRef(targets);
  newest.current = targets;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || newest.current.isDisabled) return;
      // An open dialog or menu handles all keys, whichever screen opened it.
      if (document.querySelector("dialog[open], :popover-open") !== null) return;
      if (obey(event, newest.current)) event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function obey({ key, target }: KeyboardEvent, targets: ShortcutTargets): boolean {
  const { rows, focused, setFocused } = targets;
  const row = focused === undefined ? undefined : rows[focused];
  if (isTyped(target)) {
    if (key !== "Escape" || !(target instanceof HTMLElement)) return false;
    target.blur();
    return true;
  }
  switch (key) {
    case "j":
    case "ArrowDown":
      setFocused(Math.min(rows.length - 1, (focused ?? -1) + 1));
      return true;
    case "k":
    case "ArrowUp":
      setFocused(Math.max(0, (focused ?? 1) - 1));
      return true;
    case "Home":
      setFocused(0);
      return true;
    case "End":
      setFocused(rows.length - 1);
      return true;
    case "Enter":
      // A link or a button that has the focus does its own work.
      if (row === undefined || isControl(target)) return false;
      targets.onOpen(row);
      return true;
    case "x":
      if (row !== undefined) targets.onToggle(row);
      return row !== undefined;
    case "a":
      if (rows.length > 0) targets.onToggleAll();
      return true;
    case "u":
    case "Backspace":
      targets.onUp();
      return true;
    case "/":
      targets.onFilter();
      return true;
    case "?":
      targets.onHelp();
      return true;
    default:
      return actOn(key, row, targets);
  }
}

/** Acts on the selection, or on the focused row. */
function actOn(key: string, row: ObjectRow | undefined, targets: ShortcutTargets): boolean {
  const { bucket, chosen, onDownload, onAsk } = targets;
  const rows = chosen.length > 0 ? chosen : row === undefined ? [] : [row];
  if (key === "d" && canDownload(bucket, rows)) {
    onDownload(rows);
    return true;
  }
  if (key === "p" && haveAddresses(targets.addresses, rows)) {
    targets.onCopyAddresses(rows);
    return true;
  }
  const may = asksFor(bucket, rows);
  const ask = ASK_KEYS[key]?.find((one) => may.includes(one));
  if (ask !== undefined) onAsk({ ask, rows });
  return ask !== undefined;
}

function isTyped(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && target.type !== "checkbox";
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("a, button, input, summary") !== null;
}

/** The folder above a folder; empty for the root. */
export function parentOf(prefix: string): string {
  return prefix.slice(0, prefix.slice(0, -1).lastIndexOf("/") + 1);
}

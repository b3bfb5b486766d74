// The selection bar: the actions on the selected rows.
import { Button } from "../../components/button.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { plural, t } from "../../i18n/language.ts";
import { type Ask, ASK_TEXTS, asksFor, canDownload } from "./row-actions.ts";

export interface SelectionBarProps {
  readonly bucket: string;
  readonly chosen: readonly ObjectRow[];
  readonly onDownload: () => void;
  readonly onAsk: (ask: Ask) => void;
  /** Undefined if no selected row has a public address. */
  readonly onCopyAddresses: (() => void) | undefined;
  readonly onClear: () => void;
}

const ICONS = { delete: "trash", move: "share", copy: "copy", rename: "edit", restore: "reload" } as const;

/** Also takes its space while nothing is selected, so that the list does not jump. */
export function SelectionBar({ bucket, chosen, onDownload, onAsk, onCopyAddresses, onClear }: SelectionBarProps) {
  if (chosen.length === 0) return <div class="selection-bar" />;
  const isOneObject = chosen.length === 1 && chosen[0]?.type === "object";
  return (
    <div class="selection-bar">
      <span role="status">{plural("objects.selected", chosen.length)}</span>
      {canDownload(bucket, chosen) ? (
        <Button icon="download" onClick={onDownload}>
          {t(isOneObject ? "download.action" : "download.zip")}
        </Button>
      ) : null}
      {asksFor(bucket, chosen).map((ask) => (
        <Button key={ask} icon={ICONS[ask]} onClick={() => onAsk(ask)}>
          {t(ASK_TEXTS[ask])}
        </Button>
      ))}
      {onCopyAddresses === undefined ? null : (
        <Button icon="link" onClick={onCopyAddresses}>
          {t(isOneObject ? "addresses.copy" : "addresses.copyMany")}
        </Button>
      )}
      <Button icon="close" kind="quiet" label={t("objects.clearSelection")} onClick={onClear} />
    </div>
  );
}

// What can be done with the selected rows.
import { Button } from "../../components/button.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { plural, t } from "../../i18n/language.ts";

export interface SelectionBarProps {
  readonly chosen: readonly ObjectRow[];
  readonly onDownload: () => void;
  readonly onTransfer: (kind: "move" | "copy") => void;
  readonly onDelete: () => void;
  readonly onClear: () => void;
}

/** Its place is kept while nothing is selected, so that the list does not jump. */
export function SelectionBar({ chosen, onDownload, onTransfer, onDelete, onClear }: SelectionBarProps) {
  if (chosen.length === 0) return <div class="selection-bar" />;
  const isOneObject = chosen.length === 1 && chosen[0]?.type === "object";
  return (
    <div class="selection-bar">
      <span role="status">{plural("objects.selected", chosen.length)}</span>
      <Button icon="download" onClick={onDownload}>
        {t(isOneObject ? "download.action" : "download.zip")}
      </Button>
      <Button icon="share" onClick={() => onTransfer("move")}>
        {t("transfer.move")}
      </Button>
      <Button icon="copy" onClick={() => onTransfer("copy")}>
        {t("transfer.copy")}
      </Button>
      <Button icon="trash" onClick={onDelete}>
        {t("action.delete")}
      </Button>
      <Button icon="close" kind="quiet" label={t("objects.clearSelection")} onClick={onClear} />
    </div>
  );
}

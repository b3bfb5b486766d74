// What can be done with selected rows: the bar above a list, and the dialogs that it opens.
import { useState } from "preact/hooks";
import { downloadRows } from "../../data/download.ts";
import type { ObjectRow } from "../../data/object-list.ts";
import { useConnection } from "../../data/session.ts";
import { DeleteObjectsDialog } from "./delete-objects-dialog.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { TransferDialog } from "./transfer-dialog.tsx";

export interface SelectionActionsProps {
  readonly bucket: string;
  /** The folder that shows the rows. */
  readonly prefix: string;
  readonly chosen: readonly ObjectRow[];
  /** The rows that a dialog asks about. */
  readonly deletes: readonly ObjectRow[] | undefined;
  readonly onDelete: (rows: readonly ObjectRow[] | undefined) => void;
  readonly onClear: () => void;
  readonly onChanged: () => void;
}

export function SelectionActions(props: SelectionActionsProps) {
  const { bucket, prefix, chosen, deletes, onDelete, onClear, onChanged } = props;
  const connection = useConnection();
  const [transfer, setTransfer] = useState<"move" | "copy">();
  return (
    <>
      <SelectionBar
        chosen={chosen}
        onDownload={() => void downloadRows(connection, bucket, chosen)}
        onTransfer={setTransfer}
        onDelete={() => onDelete(chosen)}
        onClear={onClear}
      />
      {transfer === undefined ? null : (
        <TransferDialog
          kind={transfer}
          bucket={bucket}
          prefix={prefix}
          rows={chosen}
          onClose={() => setTransfer(undefined)}
          onChanged={onChanged}
        />
      )}
      {deletes === undefined ? null : (
        <DeleteObjectsDialog bucket={bucket} rows={deletes} onClose={() => onDelete(undefined)} onChanged={onChanged} />
      )}
    </>
  );
}

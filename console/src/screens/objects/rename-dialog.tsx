// Renames an object or a folder within its folder. Renaming a folder moves all objects below it.
import { useState } from "preact/hooks";
import { isReachable } from "../../clients/paths.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/fields.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { useConnection } from "../../data/session.ts";
import { transferRows } from "../../data/transfer-objects.ts";
import { t } from "../../i18n/language.ts";

export interface RenameDialogProps {
  readonly bucket: string;
  /** One row. */
  readonly rows: readonly ObjectRow[];
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function RenameDialog({ bucket, rows, onClose, onChanged }: RenameDialogProps) {
  const connection = useConnection();
  const [row] = rows;
  const name = row?.name ?? "";
  const end = row?.type === "folder" ? "/" : "";
  const shown = name.slice(0, name.length - end.length);
  const [typed, setTyped] = useState(shown);
  const isValid = isReachable(typed) && !/^\/|\/$/.test(typed);
  const isReady = row !== undefined && isValid && typed !== shown;
  return (
    <Dialog
      title={t("transfer.rename.title", { name })}
      onClose={onClose}
      onSubmit={() => {
        if (!isReady) return;
        // The rest of a key after the row's own key stays: empty for an object, a relative path for keys below a folder.
        const target = `${row.key.slice(0, row.key.length - name.length)}${typed}${end}`;
        const plan = {
          kind: "move",
          bucket,
          prefix: row.key,
          rows,
          targetBucket: bucket,
          targetPrefix: target,
        } as const;
        void transferRows(connection, plan, onChanged);
        onClose();
      }}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isDisabled={!isReady}>
            {t("transfer.rename")}
          </Button>
        </>
      }
    >
      <TextField
        label={t("transfer.newName")}
        value={typed}
        problem={isValid ? undefined : t("objects.folderProblem")}
        onChange={setTyped}
        hasFocus
      />
      <p class="hint">{t(row?.type === "folder" ? "transfer.rename.folder" : "transfer.existing")}</p>
    </Dialog>
  );
}

// Asks for the destination to which the selected rows are moved or copied.
import { useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextField } from "../../components/fields.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { useConnection } from "../../data/session.ts";
import { transferRows } from "../../data/transfer-objects.ts";
import { plural, t } from "../../i18n/language.ts";

export interface TransferDialogProps {
  readonly kind: "move" | "copy";
  readonly bucket: string;
  readonly prefix: string;
  readonly rows: readonly ObjectRow[];
  /** The bucket that is suggested. */
  readonly defaultBucket: string;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function TransferDialog(props: TransferDialogProps) {
  const { kind, bucket, prefix, rows, defaultBucket, onClose, onChanged } = props;
  const connection = useConnection();
  const [targetBucket, setBucket] = useState(defaultBucket);
  const [folder, setFolder] = useState(prefix);
  const targetPrefix = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
  const isSame = targetBucket === bucket && targetPrefix === prefix;
  const isReady = targetBucket !== "" && !isSame;
  return (
    <Dialog
      title={plural(kind === "move" ? "transfer.move.title" : "transfer.copy.title", rows.length, {
        name: rows[0]?.name ?? "",
      })}
      onClose={onClose}
      onSubmit={() => {
        if (!isReady) return;
        void transferRows(connection, { kind, bucket, prefix, rows, targetBucket, targetPrefix }, onChanged);
        onClose();
      }}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isDisabled={!isReady}>
            {t(kind === "move" ? "transfer.move" : "transfer.copy")}
          </Button>
        </>
      }
    >
      <TextField label={t("transfer.bucket")} value={targetBucket} onChange={setBucket} />
      <TextField
        label={t("transfer.folder")}
        hint={t("transfer.folderHint")}
        problem={isSame && folder !== prefix ? t("transfer.same") : undefined}
        value={folder}
        onChange={setFolder}
        hasFocus
      />
      <p class="hint">{t("transfer.existing")}</p>
    </Dialog>
  );
}

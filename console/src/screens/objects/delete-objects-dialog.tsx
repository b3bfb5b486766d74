// Asks for confirmation before objects and folders are deleted, and shows whether the deletion can be undone.
import { getVersioning } from "../../clients/buckets.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { deleteObjects } from "../../data/delete-objects.ts";
import type { ObjectRow } from "../../data/object-list.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";

export interface DeleteObjectsDialogProps {
  readonly bucket: string;
  readonly rows: readonly ObjectRow[];
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function DeleteObjectsDialog({ bucket, rows, onClose, onChanged }: DeleteObjectsDialogProps) {
  const connection = useConnection();
  const versioning = useLoad(() => getVersioning(connection, bucket), [bucket]);
  const folders = rows.filter(({ type }) => type === "folder").map(({ key }) => key);
  const keys = rows.filter(({ type }) => type === "object").map(({ key }) => key);
  return (
    <ConfirmDialog
      title={plural("objects.delete.title", rows.length, { name: rows[0]?.name ?? "" })}
      confirmLabel={t("action.delete")}
      onClose={onClose}
      onConfirm={() => {
        void deleteObjects(connection, { bucket, keys, folders }, onChanged);
        return Promise.resolve();
      }}
    >
      {folders.length === 0 ? null : <p>{t("objects.delete.folders")}</p>}
      {versioning.value === "Enabled" ? <p>{t("objects.delete.versioned")}</p> : null}
      {versioning.value === "off" ? <p>{t("objects.delete.final")}</p> : null}
    </ConfirmDialog>
  );
}

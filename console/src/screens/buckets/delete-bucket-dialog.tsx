// Deletes a bucket. For a bucket that has objects, offers to empty it.
import { deleteBucket } from "../../clients/buckets.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { t } from "../../i18n/language.ts";

export interface DeleteBucketDialogProps {
  readonly bucket: string;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
  readonly onEmptyFirst: () => void;
}

export function DeleteBucketDialog({ bucket, onClose, onDeleted, onEmptyFirst }: DeleteBucketDialogProps) {
  const connection = useConnection();
  return (
    <ConfirmDialog
      title={t("bucketDelete.title", { bucket })}
      confirmLabel={t("action.delete")}
      typedName={bucket}
      onClose={onClose}
      onConfirm={async () => {
        await deleteBucket(connection, bucket);
        showToast(t("bucketDelete.done", { bucket }));
        onDeleted();
      }}
    >
      <p>{t("bucketDelete.text")}</p>
      <p>
        <Button onClick={onEmptyFirst}>{t("bucketDelete.emptyFirst")}</Button>
      </p>
    </ConfirmDialog>
  );
}

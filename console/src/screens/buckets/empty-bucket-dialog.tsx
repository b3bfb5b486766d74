// Asks for confirmation before a bucket is emptied in the background.
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { t } from "../../i18n/language.ts";

export interface EmptyBucketDialogProps {
  readonly bucket: string;
  readonly onClose: () => void;
  readonly onConfirm: () => void;
}

export function EmptyBucketDialog({ bucket, onClose, onConfirm }: EmptyBucketDialogProps) {
  return (
    <ConfirmDialog
      title={t("bucketEmpty.title", { bucket })}
      confirmLabel={t("bucketEmpty.start")}
      typedName={bucket}
      onClose={onClose}
      onConfirm={async () => onConfirm()}
    >
      <p>{t("bucketEmpty.text")}</p>
    </ConfirmDialog>
  );
}

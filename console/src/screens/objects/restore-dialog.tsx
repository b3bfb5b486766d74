// Asks for confirmation before objects and folders of a snapshot are restored to its bucket. Each key gets the version
// that the snapshot shows; other keys stay unchanged.
import { snapshotAt } from "../../clients/snapshots.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import type { ObjectRow } from "../../data/object-list.ts";
import { useConnection } from "../../data/session.ts";
import { transferRows } from "../../data/transfer-objects.ts";
import { plural, t } from "../../i18n/language.ts";

export interface RestoreDialogProps {
  /** The address of the snapshot. */
  readonly bucket: string;
  readonly rows: readonly ObjectRow[];
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function RestoreDialog({ bucket, rows, onClose, onChanged }: RestoreDialogProps) {
  const connection = useConnection();
  const target = snapshotAt(bucket)?.bucket ?? bucket;
  return (
    <ConfirmDialog
      title={plural("snapshots.restoreRows", rows.length, { name: rows[0]?.name ?? "" })}
      confirmLabel={t("snapshots.restore")}
      kind="primary"
      onClose={onClose}
      onConfirm={() => {
        const plan = { kind: "copy", bucket, prefix: "", rows, targetBucket: target, targetPrefix: "" } as const;
        // A bucket with snapshots is versioned, so nothing is lost.
        void transferRows(connection, { ...plan, replaces: true }, onChanged);
        return Promise.resolve();
      }}
    >
      <p>{t("snapshots.restoreRowsText", { bucket: target })}</p>
    </ConfirmDialog>
  );
}

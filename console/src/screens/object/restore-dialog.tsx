// Asks for confirmation before an object of a snapshot is restored to the same key of its bucket.
import { copyObject, deleteObject, type ObjectAddress, type ObjectFacts } from "../../clients/object.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { showFailure } from "../../data/failure-toast.ts";
import { navigate } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { plural, t } from "../../i18n/language.ts";

export interface RestoreDialogProps {
  /** In the snapshot. */
  readonly address: ObjectAddress;
  readonly facts: ObjectFacts;
  /** The bucket of the snapshot. */
  readonly target: string;
  readonly onClose: () => void;
}

export function RestoreDialog({ address, facts, target, onClose }: RestoreDialogProps) {
  const { key } = address;
  const connection = useConnection();
  const restore = async (): Promise<void> => {
    const { etag, storageClass } = facts;
    const restored = { bucket: target, key };
    const versionId = await copyObject(connection, address, restored, { storageClass, ifMatch: etag });
    const undo = (): void =>
      void deleteObject(connection, { ...restored, versionId }).then(
        () => showToast(t("object.versionDeleted")),
        (failure: unknown) => showFailure(failure),
      );
    // Without a version id, the undo would delete the object permanently.
    const action = versionId === undefined ? undefined : { label: t("action.undo"), run: undo };
    showToast(t("object.copied", { key }), { action });
    navigate(["buckets", target, "object"], { key });
  };
  return (
    <ConfirmDialog
      title={plural("snapshots.restoreRows", 1, { name: key })}
      confirmLabel={t("snapshots.restore")}
      kind="primary"
      onClose={onClose}
      onConfirm={restore}
    >
      <p>{t("snapshots.restoreRowsText", { bucket: target })}</p>
    </ConfirmDialog>
  );
}

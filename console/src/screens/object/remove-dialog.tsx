// Deletes an object, with undo in a versioned bucket, or deletes one version permanently.
import { getVersioning } from "../../clients/buckets.ts";
import { deleteObject, type ObjectAddress } from "../../clients/object.ts";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { deleteObjects } from "../../data/delete-objects.ts";
import { navigate } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { visibleText } from "../../i18n/visible-text.ts";

export function RemoveDialog({ address, onClose }: { readonly address: ObjectAddress; readonly onClose: () => void }) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const versioning = useLoad(() => getVersioning(connection, bucket), [bucket]);
  const folder = key.replace(/\/$/, "").split("/").slice(0, -1).join("/");
  const remove = async (): Promise<void> => {
    if (versionId !== undefined) {
      await deleteObject(connection, address);
      showToast(t("object.versionDeleted"));
      navigate(["buckets", bucket, "object"], { key, tab: "versions" });
      return;
    }
    let isDeleted = false;
    await deleteObjects(connection, { bucket, keys: [key], folders: [] }, () => {
      // The second change is the undo.
      if (isDeleted) navigate(["buckets", bucket, "object"], { key });
      else navigate(["buckets", bucket, "objects"], { prefix: folder === "" ? undefined : `${folder}/` });
      isDeleted = true;
    });
  };
  const isKept = versionId === undefined && versioning.value === "Enabled";
  return (
    <ConfirmDialog
      title={versionId === undefined ? t("object.deleteTitle") : t("object.deleteVersionTitle")}
      confirmLabel={t("action.delete")}
      onConfirm={remove}
      onClose={onClose}
    >
      <p dir="auto" class="object-break">
        {visibleText(key)}
      </p>
      <p>{isKept ? t("object.deleteKept") : t("object.deleteFinal")}</p>
    </ConfirmDialog>
  );
}

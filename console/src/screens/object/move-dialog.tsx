// Moves, renames or copies an object to another key or bucket.
import { useState } from "preact/hooks";
import { getVersioning } from "../../clients/buckets.ts";
import { copyObject, deleteObject, headObject, type ObjectAddress, renameObject } from "../../clients/object.ts";
import { isReachable } from "../../clients/paths.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, TextField } from "../../components/fields.tsx";
import type { Connection } from "../../clients/connection.ts";
import { navigate } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";

export interface MoveDialogProps {
  readonly address: ObjectAddress;
  readonly kind: "move" | "copy";
  readonly onClose: () => void;
  /** Called after a copy onto this very key. */
  readonly onCopied: () => void;
}

export function MoveDialog({ address, kind, onClose, onCopied }: MoveDialogProps) {
  const connection = useConnection();
  const change = useChange();
  const [bucket, setBucket] = useState(address.bucket);
  const [key, setKey] = useState(address.key);
  const [replaces, setReplaces] = useState(false);
  const isSame = bucket === address.bucket && key === address.key;
  const isValid = bucket !== "" && isReachable(key) && !(isSame && address.versionId === undefined);
  const submit = (): void => {
    if (!isValid || change.isBusy) return;
    void change.run(async () => {
      const target = { bucket, key };
      if (kind === "move") await moveObject(connection, address, target, !replaces);
      else await copyKeepingClass(connection, address, target, !replaces);
      showToast(kind === "move" ? t("object.moved", { key }) : t("object.copied", { key }));
      onClose();
      if (isSame) onCopied();
      navigate(["buckets", bucket, "object"], { key });
    });
  };
  return (
    <Dialog
      title={kind === "move" ? t("object.moveTitle") : t("object.copyTitle")}
      onClose={onClose}
      onSubmit={submit}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isBusy={change.isBusy} isDisabled={!isValid}>
            {kind === "move" ? t("object.moveNow") : t("object.copyNow")}
          </Button>
        </>
      }
    >
      <TextField label={t("object.toBucket")} value={bucket} onChange={setBucket} />
      <TextField
        label={t("object.toKey")}
        hint={t("object.toKeyHint")}
        value={key}
        onChange={setKey}
        hasFocus
        {...(isReachable(key) ? {} : { problem: t("object.badKey") })}
      />
      <CheckField label={t("object.replace")} isChecked={replaces} onChange={setReplaces} />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
    </Dialog>
  );
}

/** Renames where the bucket never had versions, which is one step; copies and deletes elsewhere. */
async function moveObject(
  connection: Connection,
  from: ObjectAddress,
  to: ObjectAddress,
  isNew: boolean,
): Promise<void> {
  const canRename = from.bucket === to.bucket && !from.key.endsWith("/") && !to.key.endsWith("/");
  if (canRename && (await getVersioning(connection, from.bucket)) === "off") {
    await renameObject(connection, from, to.key, { isNew });
    return;
  }
  await copyKeepingClass(connection, from, to, isNew);
  await deleteObject(connection, from);
}

/** A copy is of class STANDARD unless it names another. */
async function copyKeepingClass(
  connection: Connection,
  from: ObjectAddress,
  to: ObjectAddress,
  isNew: boolean,
): Promise<void> {
  const { storageClass, etag } = await headObject(connection, from);
  await copyObject(connection, from, to, { isNew, storageClass, ifMatch: etag });
}

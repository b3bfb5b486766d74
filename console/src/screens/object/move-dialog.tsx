// Moves, renames or copies an object to another key or bucket.
import { useState } from "preact/hooks";
import type { ObjectAddress, ObjectFacts } from "../../clients/object.ts";
import { isReachable } from "../../clients/paths.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { transferObject } from "../../clients/transfers.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, TextField } from "../../components/fields.tsx";
import { navigate } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";

export interface MoveDialogProps {
  readonly address: ObjectAddress;
  /** The shown object; a newer one is not moved. */
  readonly facts: ObjectFacts;
  readonly kind: "move" | "copy";
  readonly onClose: () => void;
  /** Called after a copy onto this very key. */
  readonly onCopied: () => void;
}

export function MoveDialog({ address, facts, kind, onClose, onCopied }: MoveDialogProps) {
  const connection = useConnection();
  const change = useChange();
  const [bucket, setBucket] = useState(snapshotAt(address.bucket)?.bucket ?? address.bucket);
  const [key, setKey] = useState(address.key);
  const [replaces, setReplaces] = useState(false);
  const isSame = bucket === address.bucket && key === address.key;
  const isValid = bucket !== "" && isReachable(key) && !(isSame && address.versionId === undefined);
  const submit = (): void => {
    if (!isValid || change.isBusy) return;
    void change.run(async () => {
      const { etag, storageClass } = facts;
      const transfer = { kind, source: address, target: { bucket, key }, etag, storageClass };
      await transferObject(connection, transfer, { replaces });
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

// Creates a bucket.
import { useState } from "preact/hooks";
import { createBucket, putVersioning } from "../../clients/buckets.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, TextField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { t } from "../../i18n/language.ts";

export interface CreateBucketDialogProps {
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

export function CreateBucketDialog({ onClose, onCreated }: CreateBucketDialogProps) {
  const connection = useConnection();
  const [name, setName] = useState("");
  const [location, setLocation] = useState("");
  const [isVersioned, setVersioned] = useState(false);
  const [hasObjectLock, setObjectLock] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();

  const create = async (): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    try {
      await createBucket(connection, { name, location: location.trim(), hasObjectLock });
    } catch (thrown) {
      setFailure(thrown);
      setBusy(false);
      return;
    }
    // Object Lock has already enabled versioning.
    const isComplete = !isVersioned || hasObjectLock || (await succeeds(putVersioning(connection, name, "Enabled")));
    if (isComplete) showToast(t("bucketCreate.created", { bucket: name }));
    else showToast(t("bucketCreate.noVersioning", { bucket: name }), { kind: "failure" });
    onCreated();
    onClose();
  };

  return (
    <Dialog
      title={t("bucketCreate.title")}
      onClose={onClose}
      onSubmit={() => void create()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isBusy={isBusy} isDisabled={name === ""}>
            {t("action.create")}
          </Button>
        </>
      }
    >
      <TextField
        label={t("bucketCreate.name")}
        hint={t("bucketCreate.nameHint")}
        value={name}
        onChange={(text) => setName(text.trim().toLowerCase())}
        hasFocus
      />
      <CheckField
        label={t("bucketCreate.versioning")}
        hint={t("bucketCreate.versioningHint")}
        isChecked={isVersioned || hasObjectLock}
        isDisabled={hasObjectLock}
        onChange={setVersioned}
      />
      <CheckField
        label={t("bucketCreate.lock")}
        hint={t("bucketCreate.lockHint")}
        isChecked={hasObjectLock}
        onChange={setObjectLock}
      />
      <TextField
        label={t("bucketCreate.location")}
        hint={t("bucketCreate.locationHint")}
        value={location}
        onChange={setLocation}
      />
      {failure === undefined ? null : <ErrorPanel failure={failure} />}
    </Dialog>
  );
}

async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch {
    return false;
  }
}

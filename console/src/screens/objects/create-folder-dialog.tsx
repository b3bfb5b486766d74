// Creates a folder that other clients show, too.
import { useState } from "preact/hooks";
import { createFolder } from "../../clients/objects.ts";
import { isReachable } from "../../clients/paths.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { t } from "../../i18n/language.ts";

export interface CreateFolderDialogProps {
  readonly bucket: string;
  readonly prefix: string;
  readonly onClose: () => void;
  readonly onCreated: () => void;
}

export function CreateFolderDialog({ bucket, prefix, onClose, onCreated }: CreateFolderDialogProps) {
  const connection = useConnection();
  const [name, setName] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const isValid = name !== "" && !/^\/|\/$/.test(name) && isReachable(name);

  const create = async (): Promise<void> => {
    if (!isValid) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await createFolder(connection, bucket, `${prefix}${name}/`);
      showToast(t("objects.folderCreated", { name }));
      onCreated();
      onClose();
    } catch (thrown) {
      setFailure(thrown);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={t("objects.createFolder")}
      onClose={onClose}
      onSubmit={() => void create()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isDisabled={!isValid} isBusy={isBusy}>
            {t("action.create")}
          </Button>
        </>
      }
    >
      <TextField
        label={t("objects.folderName")}
        hint={t("objects.folderHint")}
        problem={name === "" || isValid ? undefined : t("objects.folderProblem")}
        value={name}
        onChange={setName}
        hasFocus
      />
      {failure === undefined ? null : <ErrorPanel failure={failure} />}
    </Dialog>
  );
}

// Changes an object's response headers, user metadata and storage class. The object is copied onto itself, on condition
// that it is unchanged.
import { useState } from "preact/hooks";
import { copyObject, type ObjectAddress, type ObjectFacts, SERVED_HEADERS } from "../../clients/object.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { RowsEditor } from "../../components/rows-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";

/** The classes to choose from, in addition to the object's own. */
const CLASSES = ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];
const HEADER_TEXT = /^[\u0020-\u007e\t]*$/;
const METADATA_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

export interface HeadersDialogProps {
  readonly address: ObjectAddress;
  readonly facts: ObjectFacts;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

export function HeadersDialog({ address, facts, onClose, onChanged }: HeadersDialogProps) {
  const connection = useConnection();
  const change = useChange();
  const [served, setServed] = useState(facts.served);
  const [rows, setRows] = useState(Object.entries(facts.metadata).map(([name, value]) => ({ name, value })));
  const [storageClass, setStorageClass] = useState(facts.storageClass);
  const classes = CLASSES.includes(facts.storageClass) ? CLASSES : [...CLASSES, facts.storageClass];
  const names = rows.map(({ name }) => name.toLowerCase());
  const nameProblem = (name: string): string | undefined => {
    if (name !== "" && !METADATA_NAME.test(name)) return t("object.badName");
    return names.filter((other) => other === name.toLowerCase()).length > 1 ? t("object.twice") : undefined;
  };
  const isValid =
    rows.every(({ name }) => name !== "" && nameProblem(name) === undefined) &&
    Object.values(served).every((value) => HEADER_TEXT.test(value));
  const save = (): void => {
    if (!isValid || change.isBusy) return;
    void change.run(async () => {
      const given = Object.entries(served).filter(([, value]) => value !== "");
      const version = await copyObject(connection, address, address, {
        ifMatch: facts.etag,
        storageClass,
        replaced: {
          served: Object.fromEntries(given),
          metadata: Object.fromEntries(rows.map(({ name, value }) => [name.toLowerCase(), value])),
        },
      });
      showToast(version === undefined ? t("object.saved") : t("object.savedAs", { version }));
      onChanged();
      onClose();
    });
  };
  return (
    <Dialog
      title={t("object.editHeaders")}
      isWide
      onClose={onClose}
      onSubmit={save}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isBusy={change.isBusy} isDisabled={!isValid}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      <p class="hint">{t("object.editHint")}</p>
      <div class="object-grid">
        {SERVED_HEADERS.map((name) => {
          const value = served[name] ?? "";
          return (
            <TextField
              key={name}
              label={name}
              value={value}
              {...(HEADER_TEXT.test(value) ? {} : { problem: t("object.notAscii") })}
              onChange={(text) => setServed({ ...served, [name]: text })}
            />
          );
        })}
        <SelectField
          label={t("object.storageClass")}
          value={storageClass}
          options={classes.map((name) => [name, name])}
          onChange={setStorageClass}
        />
      </div>
      <h3>{t("object.metadata")}</h3>
      <RowsEditor
        isInline
        rowName={(number) => t("object.metadataRow", { number })}
        rows={rows}
        onChange={(changed) => setRows(Array.from(changed))}
        newRow={() => ({ name: "", value: "" })}
        addLabel={t("object.addMetadata")}
        renderRow={(row, changeRow) => {
          const problem = nameProblem(row.name);
          return (
            <>
              <TextField
                label={t("object.metadataName")}
                value={row.name}
                {...(problem === undefined ? {} : { problem })}
                onChange={(name) => changeRow({ ...row, name })}
              />
              <TextField
                label={t("object.metadataValue")}
                value={row.value}
                onChange={(value) => changeRow({ ...row, value })}
              />
            </>
          );
        }}
      />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
    </Dialog>
  );
}

// The annotations of a version: listed, shown as text, written and deleted.
import { useState } from "preact/hooks";
import {
  type Annotation,
  deleteAnnotation,
  getAnnotation,
  listAnnotations,
  putAnnotation,
} from "../../clients/annotations.ts";
import type { ObjectAddress } from "../../clients/object.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextArea, TextField } from "../../components/fields.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { formatBytes, formatTime } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { visibleText } from "../../i18n/visible-text.ts";

const NAME = /^(?!aws|s3)[\p{L}\p{M}\p{N}_.-]+$/iu;

interface Asked {
  readonly ask: "edit" | "delete";
  /** Empty for a new one. */
  readonly name: string;
}

export function AnnotationsSection({ address }: { readonly address: ObjectAddress }) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const loaded = useLoad((signal) => listAnnotations(connection, address, signal), [bucket, key, versionId]);
  const [asked, setAsked] = useState<Asked>();
  const close = (): void => setAsked(undefined);
  return (
    <section class="section">
      <h2>{t("annotations.title")}</h2>
      <p class="hint">{t("annotations.lead")}</p>
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />}
      {loaded.value === undefined ? (
        loaded.failure === undefined && <Skeleton lines={2} />
      ) : loaded.value.length === 0 ? (
        <p>{t("annotations.none")}</p>
      ) : (
        <ul class="annotations">
          {loaded.value.map((annotation) => (
            <li key={annotation.name}>
              <Entry
                address={address}
                annotation={annotation}
                onAsk={(ask) => setAsked({ ask, name: annotation.name })}
              />
            </li>
          ))}
        </ul>
      )}
      <p>
        <Button icon="plus" onClick={() => setAsked({ ask: "edit", name: "" })}>
          {t("annotations.add")}
        </Button>
      </p>
      {asked?.ask === "edit" ? (
        <EditDialog address={address} name={asked.name} onClose={close} onChanged={loaded.reload} />
      ) : null}
      {asked?.ask === "delete" ? (
        <ConfirmDialog
          title={t("annotations.delete", { name: asked.name })}
          confirmLabel={t("action.delete")}
          onClose={close}
          onConfirm={async () => {
            await deleteAnnotation(connection, address, asked.name);
            showToast(t("annotations.wasDeleted", { name: asked.name }));
            loaded.reload();
          }}
        >
          <p>{t("annotations.deleteText")}</p>
        </ConfirmDialog>
      ) : null}
    </section>
  );
}

interface EntryProps {
  readonly address: ObjectAddress;
  readonly annotation: Annotation;
  readonly onAsk: (ask: Asked["ask"]) => void;
}

function Entry({ address, annotation: { name, bytes, modifiedAt }, onAsk }: EntryProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <p class="actions">
        <code class="object-break">{visibleText(name)}</code>
        <span class="hint">
          {formatBytes(bytes)} · {formatTime(modifiedAt)}
        </span>
        <Button onClick={() => setOpen(!isOpen)}>
          {t(isOpen ? "annotations.hide" : "annotations.show", { name })}
        </Button>
        <Button kind="quiet" icon="edit" label={t("annotations.edit", { name })} onClick={() => onAsk("edit")} />
        <Button kind="quiet" icon="trash" label={t("annotations.delete", { name })} onClick={() => onAsk("delete")} />
      </p>
      {isOpen ? <Payload key={modifiedAt} address={address} name={name} /> : null}
    </>
  );
}

function Payload({ address, name }: { readonly address: ObjectAddress; readonly name: string }) {
  const connection = useConnection();
  const loaded = useLoad(() => getAnnotation(connection, address, name), [name]);
  if (loaded.failure !== undefined) return <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />;
  if (loaded.value === undefined) return <Skeleton lines={2} />;
  return (
    <pre class="object-text" dir="auto" tabIndex={0} role="region" aria-label={name}>
      {loaded.value}
    </pre>
  );
}

interface EditDialogProps {
  readonly address: ObjectAddress;
  readonly name: string;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

function EditDialog({ address, name: known, onClose, onChanged }: EditDialogProps) {
  const connection = useConnection();
  const change = useChange();
  const [name, setName] = useState(known);
  const [typed, setTyped] = useState<string>();
  const stored = useLoad(
    () => (known === "" ? Promise.resolve("") : getAnnotation(connection, address, known)),
    [known],
  );
  const text = typed ?? stored.value;
  const isReady = NAME.test(name) && text !== undefined && text !== "";
  const save = (): void => {
    if (!isReady) return;
    void change.run(async () => {
      await putAnnotation(connection, address, name, text);
      showToast(t("annotations.saved", { name }));
      onChanged();
      onClose();
    });
  };
  return (
    <Dialog
      title={known === "" ? t("annotations.add") : t("annotations.edit", { name: known })}
      isWide
      onClose={onClose}
      onSubmit={save}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isBusy={change.isBusy} isDisabled={!isReady}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      {known === "" ? (
        <TextField
          label={t("annotations.name")}
          hint={t("annotations.nameHint")}
          problem={name === "" || NAME.test(name) ? undefined : t("annotations.nameHint")}
          value={name}
          onChange={setName}
          hasFocus
        />
      ) : null}
      {text === undefined ? (
        stored.failure === undefined && <Skeleton lines={4} />
      ) : (
        <TextArea label={t("annotations.text")} rows={10} isCode value={text} onChange={setTyped} />
      )}
      {stored.failure === undefined ? null : <ErrorPanel failure={stored.failure} onRetry={stored.reload} />}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={save} />}
    </Dialog>
  );
}

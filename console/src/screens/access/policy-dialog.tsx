// Edits a policy of a user as JSON, or makes one from a template for a bucket and a prefix.
import { useState } from "preact/hooks";
import { getUserPolicy, putUserPolicy } from "../../clients/iam.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextArea, TextField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";
import { policyProblem } from "./policy-problem.ts";
import { type Template, templateDocument, templateName, TEMPLATES } from "./policy-templates.ts";

export interface EditedPolicy {
  /** Undefined for a new one. */
  readonly name: string | undefined;
  readonly document: string;
}

export interface PolicyDialogProps {
  readonly user: string;
  readonly edited: EditedPolicy;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

const CHOICES: readonly Template[] = ["readOnly", "uploadOnly", "tenant", "full"];

export function PolicyDialog({ user, edited, onClose, onSaved }: PolicyDialogProps) {
  const connection = useConnection();
  const change = useChange();
  const [name, setName] = useState(edited.name ?? "");
  const [document, setDocument] = useState(edited.document);
  const isNew = edited.name === undefined;
  const problem = document.trim() === "" ? undefined : policyProblem(document);
  const save = (): void =>
    void change.run(async () => {
      if (isNew && (await getUserPolicy(connection, user, name)) !== undefined) throw new Error(t("userPolicy.exists"));
      await putUserPolicy(connection, user, name, document);
      onSaved();
      onClose();
    }, t("userPolicy.saved"));
  return (
    <Dialog
      title={isNew ? t("userPolicy.add") : t("userPolicy.editOne", { policy: name })}
      isWide
      onClose={onClose}
      onSubmit={save}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            isBusy={change.isBusy}
            isDisabled={name === "" || document.trim() === "" || problem !== undefined}
          >
            {t("action.save")}
          </Button>
        </>
      }
    >
      {isNew ? (
        <TemplateForm
          onFill={(template, bucket, prefix) => {
            setName(templateName(template, bucket));
            setDocument(templateDocument(template, bucket, prefix));
          }}
        />
      ) : null}
      <TextField label={t("userPolicy.name")} value={name} onChange={setName} isDisabled={!isNew} />
      <TextArea
        label={t("userPolicy.document")}
        value={document}
        onChange={setDocument}
        rows={16}
        isCode
        problem={problem}
      />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
    </Dialog>
  );
}

interface TemplateFormProps {
  readonly onFill: (template: Template, bucket: string, prefix: string) => void;
}

function TemplateForm({ onFill }: TemplateFormProps) {
  const [template, setTemplate] = useState<Template>("readOnly");
  const [bucket, setBucket] = useState("");
  const [prefix, setPrefix] = useState("");
  return (
    <div class="access-section">
      <div class="fields">
        <SelectField
          label={t("userPolicy.template")}
          value={template}
          options={CHOICES.map((choice) => [choice, t(TEMPLATES[choice])])}
          onChange={setTemplate}
        />
        <TextField label={t("userPolicy.bucket")} value={bucket} onChange={(text) => setBucket(text.trim())} />
        <TextField
          label={t("userPolicy.prefix")}
          hint={t("userPolicy.prefixHint")}
          value={prefix}
          onChange={setPrefix}
          isDisabled={template === "full"}
        />
      </div>
      <p class="actions">
        <Button isDisabled={bucket === ""} onClick={() => onFill(template, bucket, prefix)}>
          {t("userPolicy.fill")}
        </Button>
      </p>
    </div>
  );
}

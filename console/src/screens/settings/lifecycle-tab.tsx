// Lifecycle rules, as a form or as XML, with a dry run.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { isEffective, lifecycleDocument, type LifecycleRule, NEW_RULE, rulesIn } from "../../clients/lifecycle.ts";
import { CheckField } from "../../components/fields.tsx";
import { RowsEditor } from "../../components/rows-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { type Change, useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { checkXml, DocumentForm } from "./document-form.tsx";
import { FormActions } from "./form-actions.tsx";
import { LifecyclePreview } from "./lifecycle-preview.tsx";
import { RuleFields } from "./lifecycle-rule-fields.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

export function LifecycleTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const change = useChange();
  const loaded = useLoad(async () => ({ text: await getConfiguration(connection, bucket, "lifecycle") }), [bucket]);
  const text = loaded.value?.text;
  const put = (body: string): void =>
    void change.run(async () => {
      await putConfiguration(connection, bucket, "lifecycle", body);
      // The server gives every rule an id.
      loaded.replace({ text: await getConfiguration(connection, bucket, "lifecycle") });
    }, t("lifecycle.saved"));
  const remove = (): void =>
    void change.run(async () => {
      await deleteConfiguration(connection, bucket, "lifecycle");
      loaded.replace({ text: undefined });
    }, t("lifecycle.removed"));
  return (
    <>
      <SettingSection title={t("settings.lifecycle")} lead={t("lifecycle.lead")} loaded={loaded}>
        {() => <RulesForm key={text} text={text} change={change} onSave={put} onRemove={remove} />}
      </SettingSection>
      {text === undefined ? null : <LifecyclePreview key={text} bucket={bucket} />}
    </>
  );
}

interface RulesFormProps {
  readonly text: string | undefined;
  readonly change: Change;
  readonly onSave: (body: string) => void;
  readonly onRemove: () => void;
}

function RulesForm({ text, change, onSave, onRemove }: RulesFormProps) {
  const stored = text === undefined ? [] : rulesIn(text);
  const [isXml, setXml] = useState(stored === undefined);
  const [rules, setRules] = useState<readonly LifecycleRule[]>(stored ?? []);
  const isComplete = rules.length > 0 && rules.every(isEffective);
  return (
    <>
      <CheckField
        label={t("settings.asXml")}
        hint={stored === undefined ? t("lifecycle.onlyXml") : undefined}
        isChecked={isXml}
        isDisabled={stored === undefined}
        onChange={setXml}
      />
      {isXml ? (
        <DocumentForm
          label={t("lifecycle.document")}
          stored={text}
          change={change}
          check={checkXml}
          examples={[
            {
              label: t("lifecycle.example"),
              text: lifecycleDocument([{ ...NEW_RULE, id: "tmp", prefix: "tmp/", expireDays: "7", abortDays: "1" }]),
            },
          ]}
          onSave={onSave}
          onRemove={onRemove}
        />
      ) : (
        <>
          <RowsEditor
            rowName={(number) => t("lifecycle.row", { number })}
            rows={rules}
            onChange={setRules}
            newRow={() => NEW_RULE}
            addLabel={t("lifecycle.add")}
            renderRow={(rule, changeRule) => <RuleFields rule={rule} onChange={changeRule} />}
          />
          {rules.length > 0 && !isComplete ? <p class="hint">{t("lifecycle.noEffect")}</p> : null}
          <FormActions
            change={change}
            canSave={isComplete}
            onSave={() => onSave(lifecycleDocument(rules))}
            onRemove={text === undefined ? undefined : onRemove}
            removeLabel={t("lifecycle.removeAll")}
          />
        </>
      )}
    </>
  );
}

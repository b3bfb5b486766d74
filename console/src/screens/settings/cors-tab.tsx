// CORS rules: which origins may use the bucket from a browser.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { childrenOf, optionalText, parseXml, s3Document, tag } from "../../clients/xml.ts";
import { CheckField, TextField } from "../../components/fields.tsx";
import { RowsEditor } from "../../components/rows-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

const METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD"] as const;

/** Lists are texts while they are typed, separated by commas. */
interface CorsRule {
  readonly id: string | undefined;
  readonly origins: string;
  readonly methods: readonly string[];
  readonly headers: string;
  readonly exposed: string;
  readonly maxAge: string;
}

const NEW_RULE: CorsRule = {
  id: undefined,
  origins: "https://www.example.com",
  methods: ["GET", "PUT"],
  headers: "*",
  exposed: "ETag",
  maxAge: "3600",
};

export function CorsTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(async () => rulesIn(await getConfiguration(connection, bucket, "cors")), [bucket]);
  return (
    <SettingSection title={t("settings.cors")} lead={t("cors.lead")} loaded={loaded}>
      {(rules) => <CorsForm bucket={bucket} stored={rules} />}
    </SettingSection>
  );
}

function CorsForm({ bucket, stored }: { bucket: string; stored: readonly CorsRule[] }) {
  const connection = useConnection();
  const change = useChange();
  const [rules, setRules] = useState(stored);
  const save = (): void => {
    void change.run(async () => {
      if (rules.length === 0) await deleteConfiguration(connection, bucket, "cors");
      else await putConfiguration(connection, bucket, "cors", s3Document("CORSConfiguration", rules.map(ruleElement)));
    }, t("cors.saved"));
  };
  return (
    <>
      <RowsEditor
        rowName={(number) => t("cors.row", { number })}
        rows={rules}
        onChange={setRules}
        newRow={() => NEW_RULE}
        addLabel={t("cors.add")}
        renderRow={(rule, changeRule) => <RuleFields rule={rule} onChange={changeRule} />}
      />
      <FormActions
        change={change}
        onSave={save}
        canSave={rules.every(({ origins, methods }) => listOf(origins).length > 0 && methods.length > 0)}
      />
    </>
  );
}

function RuleFields({ rule, onChange }: { rule: CorsRule; onChange: (rule: CorsRule) => void }) {
  return (
    <>
      <TextField
        label={t("cors.origins")}
        hint={t("cors.listHint")}
        value={rule.origins}
        onChange={(origins) => onChange({ ...rule, origins })}
      />
      <div class="choices" role="group" aria-label={t("cors.methods")}>
        {METHODS.map((method) => (
          <CheckField
            key={method}
            label={method}
            isChecked={rule.methods.includes(method)}
            onChange={(isChecked) => {
              const others = rule.methods.filter((other) => other !== method);
              onChange({ ...rule, methods: isChecked ? [...others, method] : others });
            }}
          />
        ))}
      </div>
      <TextField
        label={t("cors.headers")}
        value={rule.headers}
        onChange={(headers) => onChange({ ...rule, headers })}
      />
      <TextField
        label={t("cors.exposed")}
        value={rule.exposed}
        onChange={(exposed) => onChange({ ...rule, exposed })}
      />
      <TextField
        label={t("cors.maxAge")}
        type="number"
        min={0}
        value={rule.maxAge}
        onChange={(maxAge) => onChange({ ...rule, maxAge })}
      />
    </>
  );
}

function listOf(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((part) => part.trim())
    .filter(Boolean);
}

function ruleElement({ id, origins, methods, headers, exposed, maxAge }: CorsRule) {
  return tag("CORSRule", [
    id === undefined ? undefined : tag("ID", id),
    ...listOf(origins).map((origin) => tag("AllowedOrigin", origin)),
    ...methods.map((method) => tag("AllowedMethod", method)),
    ...listOf(headers).map((header) => tag("AllowedHeader", header)),
    ...listOf(exposed).map((header) => tag("ExposeHeader", header)),
    maxAge === "" ? undefined : tag("MaxAgeSeconds", maxAge),
  ]);
}

function rulesIn(text: string | undefined): CorsRule[] {
  if (text === undefined) return [];
  return childrenOf(parseXml(text), "CORSRule").map((rule) => {
    const texts = (name: string): string[] => childrenOf(rule, name).map(({ textContent }) => textContent ?? "");
    return {
      id: optionalText(rule, "ID"),
      origins: texts("AllowedOrigin").join(", "),
      methods: texts("AllowedMethod"),
      headers: texts("AllowedHeader").join(", "),
      exposed: texts("ExposeHeader").join(", "),
      maxAge: optionalText(rule, "MaxAgeSeconds") ?? "",
    };
  });
}

// The fields of one lifecycle rule.
import type { LifecycleRule } from "../../clients/lifecycle.ts";
import { CheckField, TextField } from "../../components/fields.tsx";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";

type DaysField = "expireDays" | "noncurrentDays" | "keptVersions" | "transitionDays" | "abortDays";

const DAYS: readonly (readonly [field: DaysField, label: TextKey])[] = [
  ["expireDays", "lifecycle.expireDays"],
  ["noncurrentDays", "lifecycle.noncurrentDays"],
  ["keptVersions", "lifecycle.keptVersions"],
  ["transitionDays", "lifecycle.transitionDays"],
  ["abortDays", "lifecycle.abortDays"],
];

export function RuleFields({ rule, onChange }: { rule: LifecycleRule; onChange: (rule: LifecycleRule) => void }) {
  return (
    <>
      <div class="form-grid">
        <TextField
          label={t("lifecycle.id")}
          hint={t("lifecycle.idHint")}
          value={rule.id}
          onChange={(id) => onChange({ ...rule, id })}
        />
        <TextField
          label={t("lifecycle.prefix")}
          hint={t("lifecycle.prefixHint")}
          value={rule.prefix}
          onChange={(prefix) => onChange({ ...rule, prefix })}
        />
        {DAYS.map(([field, label]) => (
          <TextField
            key={field}
            label={t(label)}
            type="number"
            min={1}
            value={rule[field]}
            isDisabled={field === "keptVersions" && rule.noncurrentDays === ""}
            onChange={(text) => onChange({ ...rule, [field]: text })}
          />
        ))}
      </div>
      <CheckField
        label={t("lifecycle.removesMarkers")}
        hint={t("lifecycle.removesMarkersHint")}
        isChecked={rule.removesMarkers}
        isDisabled={rule.expireDays !== ""}
        onChange={(removesMarkers) => onChange({ ...rule, removesMarkers })}
      />
      <CheckField
        label={t("lifecycle.enabled")}
        isChecked={rule.isEnabled}
        onChange={(isEnabled) => onChange({ ...rule, isEnabled })}
      />
    </>
  );
}

// Object Lock of a bucket: whether it is on, and the retention that new versions get.
import { useState } from "preact/hooks";
import { getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { childOf, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { SelectField, TextField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";

type Mode = "none" | "GOVERNANCE" | "COMPLIANCE";

interface Lock {
  readonly isOn: boolean;
  readonly mode: Mode;
  readonly unit: "Days" | "Years";
  readonly period: string;
}

export function LockSection({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const loaded = useLoad(async () => lockIn(await getConfiguration(connection, bucket, "object-lock")), [bucket]);
  return (
    <SettingSection title={t("buckets.lock")} lead={t("lock.lead")} loaded={loaded}>
      {(lock) => (lock.isOn ? <LockForm bucket={bucket} stored={lock} /> : <p>{t("lock.off")}</p>)}
    </SettingSection>
  );
}

function LockForm({ bucket, stored }: { bucket: string; stored: Lock }) {
  const connection = useConnection();
  const change = useChange();
  const [lock, setLock] = useState(stored);
  const save = (): void => {
    const retention = tag("DefaultRetention", [tag("Mode", lock.mode), tag(lock.unit, lock.period)]);
    const body = s3Document("ObjectLockConfiguration", [
      tag("ObjectLockEnabled", "Enabled"),
      lock.mode === "none" ? undefined : tag("Rule", retention),
    ]);
    void change.run(() => putConfiguration(connection, bucket, "object-lock", body), t("lock.saved"));
  };
  return (
    <>
      <div class="form-grid">
        <SelectField
          label={t("lock.mode")}
          hint={lock.mode === "COMPLIANCE" ? t("lock.complianceHint") : t("lock.modeHint")}
          value={lock.mode}
          options={[
            ["none", t("lock.none")],
            ["GOVERNANCE", t("lock.governance")],
            ["COMPLIANCE", t("lock.compliance")],
          ]}
          onChange={(mode) => setLock({ ...lock, mode })}
        />
        {lock.mode === "none" ? null : (
          <>
            <TextField
              label={t("lock.period")}
              type="number"
              min={1}
              value={lock.period}
              onChange={(period) => setLock({ ...lock, period })}
            />
            <SelectField
              label={t("lock.unit")}
              value={lock.unit}
              options={[
                ["Days", t("lock.days")],
                ["Years", t("lock.years")],
              ]}
              onChange={(unit) => setLock({ ...lock, unit })}
            />
          </>
        )}
      </div>
      <FormActions change={change} onSave={save} canSave={lock.mode === "none" || Number(lock.period) > 0} />
    </>
  );
}

function lockIn(text: string | undefined): Lock {
  const root = text === undefined ? undefined : parseXml(text);
  const retention = childOf(root, "Rule", "DefaultRetention");
  const mode = textOf(retention, "Mode");
  const years = textOf(retention, "Years");
  return {
    isOn: textOf(root, "ObjectLockEnabled") === "Enabled",
    mode: mode === "GOVERNANCE" || mode === "COMPLIANCE" ? mode : "none",
    unit: years === "" ? "Days" : "Years",
    period: years || textOf(retention, "Days") || "30",
  };
}

// Retention and legal hold of a version, in buckets with Object Lock.
import { useState } from "preact/hooks";
import type { ObjectAddress, ObjectFacts } from "../../clients/object.ts";
import { putLegalHold, putRetention } from "../../clients/object-settings.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, SelectField, TextField } from "../../components/fields.tsx";
import { formatTime } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { t } from "../../i18n/language.ts";

const DAY_MS = 86_400_000;

export interface LockSectionProps {
  readonly address: ObjectAddress;
  readonly facts: ObjectFacts;
  readonly onChanged: () => void;
}

export function LockSection({ address, facts, onChanged }: LockSectionProps) {
  const connection = useConnection();
  const change = useChange();
  const { lock } = facts;
  // The shown version, even if a newer one exists by now.
  const version = { ...address, versionId: facts.versionId ?? address.versionId };
  const [mode, setMode] = useState<"none" | "GOVERNANCE" | "COMPLIANCE">(lock.mode ?? "none");
  const [until, setUntil] = useState(localTime(lock.until ?? connection.now() + DAY_MS));
  const [isForced, setForced] = useState(false);
  const saveRetention = (): void =>
    void change.run(async () => {
      const kept = mode === "none" ? undefined : mode;
      await putRetention(connection, version, { mode: kept, until: Date.parse(until), isForced });
      onChanged();
    }, t("object.retentionSaved"));
  const setHold = (isOn: boolean): void =>
    void change.run(
      async () => {
        await putLegalHold(connection, version, isOn);
        onChanged();
      },
      isOn ? t("object.holdSet") : t("object.holdRemoved"),
    );
  return (
    <section class="section">
      <h2>{t("object.lock")}</h2>
      <p>
        {lock.mode === undefined || lock.until === undefined
          ? t("object.noRetention")
          : t("object.lockedUntil", { time: formatTime(lock.until), mode: lock.mode })}
      </p>
      <div class="object-grid">
        <SelectField
          label={t("object.mode")}
          value={mode}
          options={[
            ["none", t("object.noMode")],
            ["GOVERNANCE", t("lock.governance")],
            ["COMPLIANCE", t("lock.compliance")],
          ]}
          onChange={setMode}
          hint={mode === "COMPLIANCE" ? t("object.complianceHint") : undefined}
        />
        {mode === "none" ? null : (
          <TextField label={t("object.until")} type="datetime-local" value={until} onChange={setUntil} />
        )}
      </div>
      {lock.mode === "GOVERNANCE" ? (
        <CheckField label={t("object.bypass")} isChecked={isForced} onChange={setForced} />
      ) : null}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p class="actions">
        <Button
          isBusy={change.isBusy}
          isDisabled={mode !== "none" && Number.isNaN(Date.parse(until))}
          onClick={saveRetention}
        >
          {t("object.saveRetention")}
        </Button>
        <Button isBusy={change.isBusy} onClick={() => setHold(!lock.hasLegalHold)}>
          {lock.hasLegalHold ? t("object.removeHold") : t("object.setHold")}
        </Button>
      </p>
    </section>
  );
}

/** A time as fields of the kind `datetime-local` write it. */
function localTime(at: number): string {
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 16);
}

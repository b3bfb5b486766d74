// Runs the doctor's checks in a chosen bucket, and shows what to change.
import { useState } from "preact/hooks";
import { listBuckets } from "../../clients/buckets.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { type Finding, runDoctor } from "../../data/doctor.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";

export function DoctorSection() {
  const connection = useConnection();
  const buckets = useLoad(async () => (await listBuckets(connection)).buckets.map(({ name }) => name), []);
  const [chosen, setChosen] = useState<string>();
  const [findings, setFindings] = useState<readonly Finding[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const names = buckets.value ?? [];
  // Users who may not list buckets name theirs.
  const isNamed = buckets.failure !== undefined;
  const bucket = isNamed ? chosen?.trim() || undefined : (chosen ?? names[0]);

  const run = async (): Promise<void> => {
    if (bucket === undefined) return;
    setBusy(true);
    setFailure(undefined);
    setFindings([]);
    try {
      await runDoctor(connection, bucket, (finding) => setFindings((before) => [...before, finding]));
    } catch (thrown) {
      setFailure(thrown);
    }
    setBusy(false);
  };
  return (
    <section class="section">
      <h2>{t("doctor.title")}</h2>
      <p class="hint">{t("doctor.text")}</p>
      {bucket === undefined && !isNamed ? (
        buckets.value === undefined ? null : (
          <p>{t("doctor.noBucket")}</p>
        )
      ) : (
        <div class="inline-form">
          {isNamed ? (
            <TextField label={t("doctor.bucket")} value={chosen ?? ""} onChange={setChosen} />
          ) : (
            <SelectField
              label={t("doctor.bucket")}
              value={bucket ?? ""}
              options={names.map((name) => [name, name] as const)}
              onChange={setChosen}
            />
          )}
          <Button
            kind="primary"
            icon="health"
            isBusy={isBusy}
            isDisabled={bucket === undefined}
            onClick={() => void run()}
          >
            {t("doctor.run")}
          </Button>
        </div>
      )}
      <ul class="findings" aria-live="polite">
        {findings.map(({ check, isGood, detail }) => (
          <li key={check}>
            <Badge kind={isGood ? "good" : "danger"}>{t(isGood ? "doctor.good" : "doctor.bad")}</Badge>
            <div>
              <p>{t(`doctor.${check}`)}</p>
              {isGood ? null : (
                <>
                  <p class="problem">{detail}</p>
                  <p>{t(`doctor.${check}.remedy`)}</p>
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
      {failure === undefined ? null : <ErrorPanel failure={failure} />}
    </section>
  );
}

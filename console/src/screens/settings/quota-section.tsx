// The quota of a bucket: the most bytes and objects that it may store.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { numberOf, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { TextField } from "../../components/fields.tsx";
import { Progress } from "../../components/progress.tsx";
import { formatBytes } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { plural, t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";

interface Quota {
  readonly maxBytes: string;
  readonly maxObjects: string;
  readonly storedBytes: number;
  readonly storedObjects: number;
}

export function QuotaSection({ bucket }: { readonly bucket: string }) {
  const connection = useConnection();
  const loaded = useLoad(
    async () => ({ quota: quotaIn(await getConfiguration(connection, bucket, "quota")) }),
    [bucket],
  );
  return (
    <SettingSection title={t("quota.title")} lead={t("quota.lead")} loaded={loaded}>
      {({ quota }) => <QuotaForm key={JSON.stringify(quota)} bucket={bucket} quota={quota} onChanged={loaded.reload} />}
    </SettingSection>
  );
}

function QuotaForm({ bucket, quota, onChanged }: { bucket: string; quota: Quota | undefined; onChanged: () => void }) {
  const connection = useConnection();
  const change = useChange();
  const [maxBytes, setMaxBytes] = useState(quota?.maxBytes ?? "");
  const [maxObjects, setMaxObjects] = useState(quota?.maxObjects ?? "");
  const save = (): void => {
    const body = s3Document("QuotaConfiguration", [
      maxBytes === "" ? undefined : tag("MaxBytes", maxBytes),
      maxObjects === "" ? undefined : tag("MaxObjects", maxObjects),
    ]);
    void change.run(async () => {
      await putConfiguration(connection, bucket, "quota", body);
      onChanged();
    }, t("quota.saved"));
  };
  const remove = (): void =>
    void change.run(async () => {
      await deleteConfiguration(connection, bucket, "quota");
      onChanged();
    }, t("quota.removed"));
  return (
    <>
      <div class="form-grid">
        <TextField
          label={t("quota.bytes")}
          type="number"
          min={0}
          hint={maxBytes === "" ? t("quota.unlimited") : formatBytes(Number(maxBytes))}
          value={maxBytes}
          onChange={setMaxBytes}
        />
        <TextField
          label={t("quota.objects")}
          type="number"
          min={0}
          hint={maxObjects === "" ? t("quota.unlimited") : undefined}
          value={maxObjects}
          onChange={setMaxObjects}
        />
      </div>
      {quota === undefined ? null : (
        <>
          <p>{plural("quota.used", quota.storedObjects, { size: formatBytes(quota.storedBytes) })}</p>
          {quota.maxBytes === "" ? null : (
            <Progress label={t("quota.bytes")} share={Math.min(quota.storedBytes / Number(quota.maxBytes || 1), 1)} />
          )}
        </>
      )}
      <FormActions
        change={change}
        onSave={save}
        canSave={maxBytes !== "" || maxObjects !== ""}
        onRemove={quota === undefined ? undefined : remove}
      />
    </>
  );
}

function quotaIn(text: string | undefined): Quota | undefined {
  if (text === undefined) return undefined;
  const root = parseXml(text);
  return {
    maxBytes: textOf(root, "MaxBytes"),
    maxObjects: textOf(root, "MaxObjects"),
    storedBytes: numberOf(root, "Stored", "Bytes"),
    storedObjects: numberOf(root, "Stored", "Objects"),
  };
}

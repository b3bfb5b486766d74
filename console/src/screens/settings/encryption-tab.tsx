// Encryption: everything is encrypted at rest; the setting is whether clients may provide keys of their own.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { childOf, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { CheckField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

interface Encryption {
  readonly algorithm: string;
  readonly hasBucketKey: boolean;
  readonly blocksCustomerKeys: boolean;
}

export function EncryptionTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(async () => encryptionIn(await getConfiguration(connection, bucket, "encryption")), [bucket]);
  return (
    <SettingSection title={t("settings.encryption")} lead={t("encryption.lead")} loaded={loaded}>
      {(encryption) => <EncryptionForm bucket={bucket} stored={encryption} onChanged={loaded.reload} />}
    </SettingSection>
  );
}

function EncryptionForm(props: { bucket: string; stored: Encryption; onChanged: () => void }) {
  const { bucket, stored, onChanged } = props;
  const connection = useConnection();
  const change = useChange();
  const [blocksCustomerKeys, setBlocks] = useState(stored.blocksCustomerKeys);
  const save = (): void => {
    const rule = tag("Rule", [
      tag("ApplyServerSideEncryptionByDefault", tag("SSEAlgorithm", "AES256")),
      tag("BucketKeyEnabled", stored.hasBucketKey),
      tag("BlockedEncryptionTypes", tag("EncryptionType", blocksCustomerKeys ? "SSE-C" : "NONE")),
    ]);
    void change.run(async () => {
      await putConfiguration(connection, bucket, "encryption", s3Document("ServerSideEncryptionConfiguration", rule));
      onChanged();
    }, t("encryption.saved"));
  };
  const remove = (): void => {
    void change.run(async () => {
      await deleteConfiguration(connection, bucket, "encryption");
      setBlocks(false);
      onChanged();
    }, t("encryption.saved"));
  };
  return (
    <>
      <p>
        {t("encryption.default")} <code>{stored.algorithm}</code>
      </p>
      <CheckField
        label={t("encryption.block")}
        hint={t("encryption.blockHint")}
        isChecked={blocksCustomerKeys}
        onChange={setBlocks}
      />
      <FormActions change={change} onSave={save} onRemove={remove} removeLabel={t("encryption.reset")} />
    </>
  );
}

function encryptionIn(text: string | undefined): Encryption {
  const rule = text === undefined ? undefined : childOf(parseXml(text), "Rule");
  return {
    algorithm: textOf(rule, "ApplyServerSideEncryptionByDefault", "SSEAlgorithm") || "AES256",
    hasBucketKey: textOf(rule, "BucketKeyEnabled") === "true",
    blocksCustomerKeys: textOf(rule, "BlockedEncryptionTypes", "EncryptionType") === "SSE-C",
  };
}

// Website and delivery hosts: the website configuration, and the bucket's hosts.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { type Delivery, deliveryIn } from "../../clients/delivery.ts";
import { bucketPath } from "../../clients/paths.ts";
import { childOf, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { Button } from "../../components/button.tsx";
import { CheckField, TextArea, TextField } from "../../components/fields.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { checkXml, DocumentForm } from "./document-form.tsx";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

export function WebsiteTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const website = useLoad(async () => ({ text: await getConfiguration(connection, bucket, "website") }), [bucket]);
  const delivery = useLoad(async () => deliveryIn(await getConfiguration(connection, bucket, "delivery")), [bucket]);
  return (
    <>
      <SettingSection title={t("settings.website")} lead={t("website.lead")} loaded={website} lines={6}>
        {({ text }) => <WebsiteForm key={text} bucket={bucket} text={text} onChanged={website.reload} />}
      </SettingSection>
      <SettingSection title={t("delivery.title")} lead={t("delivery.lead")} loaded={delivery}>
        {(stored) => <DeliveryForm bucket={bucket} stored={stored} onChanged={delivery.reload} />}
      </SettingSection>
    </>
  );
}

/** Redirects and routing rules are edited as XML; the form does not support them. */
function WebsiteForm({ bucket, text, onChanged }: { bucket: string; text: string | undefined; onChanged: () => void }) {
  const connection = useConnection();
  const change = useChange();
  const root = text === undefined ? undefined : parseXml(text);
  const isSimple = childOf(root, "RoutingRules") === undefined && childOf(root, "RedirectAllRequestsTo") === undefined;
  const [isXml, setXml] = useState(!isSimple);
  const [index, setIndex] = useState(textOf(root, "IndexDocument", "Suffix") || "index.html");
  const [error, setError] = useState(textOf(root, "ErrorDocument", "Key"));
  const put = (body: string): void =>
    void change.run(async () => {
      await putConfiguration(connection, bucket, "website", body);
      onChanged();
    }, t("website.saved"));
  const remove = (): void =>
    void change.run(async () => {
      await deleteConfiguration(connection, bucket, "website");
      onChanged();
    }, t("website.removed"));
  const simple = s3Document("WebsiteConfiguration", [
    tag("IndexDocument", tag("Suffix", index)),
    error === "" ? undefined : tag("ErrorDocument", tag("Key", error)),
  ]);
  return (
    <>
      <CheckField label={t("settings.asXml")} isChecked={isXml} isDisabled={!isSimple} onChange={setXml} />
      {isXml ? (
        <DocumentForm
          label={t("website.document")}
          stored={text}
          change={change}
          check={checkXml}
          examples={[{ label: t("website.example"), text: simple }]}
          onSave={put}
          onRemove={remove}
        />
      ) : (
        <>
          <div class="form-grid">
            <TextField label={t("website.index")} value={index} onChange={setIndex} />
            <TextField label={t("website.error")} hint={t("website.errorHint")} value={error} onChange={setError} />
          </div>
          <FormActions
            change={change}
            canSave={index !== ""}
            onSave={() => put(simple)}
            onRemove={text === undefined ? undefined : remove}
          />
        </>
      )}
    </>
  );
}

function DeliveryForm({ bucket, stored, onChanged }: { bucket: string; stored: Delivery; onChanged: () => void }) {
  const connection = useConnection();
  const change = useChange();
  const [hosts, setHosts] = useState(stored.hosts.join("\n"));
  const [prefix, setPrefix] = useState(stored.prefix);
  const [cleanUrls, setCleanUrls] = useState(stored.cleanUrls);
  const save = (): void => {
    const names = hosts.split(/\s+/).filter(Boolean);
    const body = s3Document("DeliveryConfiguration", [
      ...names.map((host) => tag("Host", host)),
      tag("Prefix", prefix),
      tag("CleanUrls", cleanUrls),
    ]);
    void change.run(async () => {
      await putConfiguration(connection, bucket, "delivery", body);
      onChanged();
    }, t("delivery.saved"));
  };
  const remove = (): void =>
    void change.run(async () => {
      await deleteConfiguration(connection, bucket, "delivery");
      onChanged();
    }, t("delivery.removed"));
  const purge = (): void =>
    void change.run(async () => {
      await connection.send({ method: "POST", path: bucketPath(bucket), query: { purge: "" } });
    }, t("delivery.purged"));
  return (
    <>
      <TextArea label={t("delivery.hosts")} hint={t("delivery.hostsHint")} rows={3} value={hosts} onChange={setHosts} />
      <TextField label={t("delivery.prefix")} hint={t("delivery.prefixHint")} value={prefix} onChange={setPrefix} />
      <CheckField
        label={t("delivery.cleanUrls")}
        hint={t("delivery.cleanUrlsHint")}
        isChecked={cleanUrls}
        onChange={setCleanUrls}
      />
      <FormActions change={change} onSave={save} onRemove={stored.isSet ? remove : undefined} />
      <p>
        <Button isBusy={change.isBusy} onClick={purge}>
          {t("delivery.purge")}
        </Button>
      </p>
    </>
  );
}

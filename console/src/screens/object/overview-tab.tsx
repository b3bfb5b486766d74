// An object's metadata, and the actions that change it.
import { useState } from "preact/hooks";
import { getConfiguration } from "../../clients/configurations.ts";
import type { ObjectFacts } from "../../clients/object.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { parseXml, textOf } from "../../clients/xml.ts";
import { Button } from "../../components/button.tsx";
import { formatBytes, formatCount, formatDay, formatTime } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { AnnotationsSection } from "./annotations-section.tsx";
import { HeadersDialog } from "./headers-dialog.tsx";
import { LockSection } from "./lock-section.tsx";
import { TagsSection } from "./tags-section.tsx";
import type { ObjectTabProps } from "./tabs.ts";
import { visibleText } from "../../i18n/visible-text.ts";

export function OverviewTab({ address, facts, onChanged }: ObjectTabProps) {
  const { bucket, versionId } = address;
  const isSnapshot = snapshotAt(bucket) !== undefined;
  const connection = useConnection();
  const [isEditing, setEditing] = useState(false);
  const lockable = useLoad(async () => {
    if (isSnapshot) return false;
    const text = await getConfiguration(connection, bucket, "object-lock");
    return text !== undefined && textOf(parseXml(text), "ObjectLockEnabled") === "Enabled";
  }, [bucket]);
  const served = [...Object.entries(facts.served), ...withMeta(facts)];
  return (
    <div class="object-sections">
      <section class="section">
        <h2>{t("object.facts")}</h2>
        <Facts rows={factRows(facts)} />
      </section>
      <section class="section">
        <h2>{t("object.headers")}</h2>
        <p class="hint">{t("object.headersLead")}</p>
        {served.length === 0 ? <p>{t("object.noHeaders")}</p> : <Facts rows={served} />}
        {versionId === undefined && !isSnapshot ? (
          <p>
            <Button onClick={() => setEditing(true)}>{t("object.editHeaders")}</Button>
          </p>
        ) : null}
      </section>
      <TagsSection address={address} isReadOnly={isSnapshot} />
      {isSnapshot ? null : <AnnotationsSection address={address} />}
      {lockable.value === true ? (
        <LockSection key={facts.versionId} address={address} facts={facts} onChanged={onChanged} />
      ) : null}
      {isEditing ? (
        <HeadersDialog address={address} facts={facts} onClose={() => setEditing(false)} onChanged={onChanged} />
      ) : null}
    </div>
  );
}

function Facts({ rows }: { readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <dl class="object-facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{visibleText(name)}</dt>
          <dd dir="auto">{visibleText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function withMeta({ metadata }: ObjectFacts): [string, string][] {
  return Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]);
}

function factRows(facts: ObjectFacts): [string, string][] {
  const { bytes, versionId, checksums, checksumType, parts, encryption, expiration } = facts;
  const rows: [string, string | undefined][] = [
    [t("object.size"), bytes < 1024 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatCount(bytes)} B)`],
    [t("object.type"), facts.served["content-type"]],
    [t("object.modified"), formatTime(facts.modifiedAt)],
    [t("object.etag"), facts.etag],
    ...Object.entries(checksums).map(([algorithm, value]): [string, string] => [
      algorithm,
      checksumType === "COMPOSITE" ? `${value} (${t("object.ofParts")})` : value,
    ]),
    [t("object.storageClass"), facts.storageClass],
    [t("object.version"), versionId],
    [t("object.parts"), parts === undefined ? undefined : formatCount(parts)],
    [t("object.encryption"), encryption],
    [
      t("object.expires"),
      expiration && t("object.expiresBy", { day: formatDay(expiration.at), rule: expiration.ruleId }),
    ],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

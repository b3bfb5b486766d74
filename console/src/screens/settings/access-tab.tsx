// Public access: whether the bucket is public, and its public access block, which overrides policies and ACLs.
import { useState } from "preact/hooks";
import { isPublic } from "../../clients/buckets.ts";
import { getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import type { Connection } from "../../clients/connection.ts";
import { ServiceError } from "../../clients/failures.ts";
import { parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { Badge } from "../../components/badge.tsx";
import { LinkButton } from "../../components/button.tsx";
import { CheckField } from "../../components/fields.tsx";
import { hrefOf } from "../../data/router.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

const BLOCKS = {
  BlockPublicAcls: "access.blockAcls",
  IgnorePublicAcls: "access.ignoreAcls",
  BlockPublicPolicy: "access.blockPolicy",
  RestrictPublicBuckets: "access.restrict",
} as const satisfies Record<string, TextKey>;
type BlockName = keyof typeof BLOCKS;
const BLOCK_NAMES: readonly BlockName[] = [
  "BlockPublicAcls",
  "IgnorePublicAcls",
  "BlockPublicPolicy",
  "RestrictPublicBuckets",
];

interface Access {
  readonly isOpen: boolean;
  readonly blocked: ReadonlySet<BlockName>;
}

export function AccessTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(() => readAccess(connection, bucket), [bucket]);
  return (
    <SettingSection title={t("settings.access")} lead={t("access.lead")} loaded={loaded}>
      {(access) => (
        <>
          <p>
            {access.isOpen && !isRestricted(access) ? (
              <Badge kind="warning">{t("buckets.public")}</Badge>
            ) : (
              <Badge kind="good">{t("buckets.private")}</Badge>
            )}{" "}
            {t(!access.isOpen ? "access.isPrivate" : isRestricted(access) ? "access.isRestricted" : "access.isPublic")}
          </p>
          <p>
            <LinkButton href={hrefOf(["buckets", bucket, "settings", "policy"])}>{t("access.editPolicy")}</LinkButton>
          </p>
          <BlockForm bucket={bucket} access={access} onSaved={loaded.reload} />
        </>
      )}
    </SettingSection>
  );
}

function isRestricted({ blocked }: Access): boolean {
  return blocked.has("RestrictPublicBuckets");
}

function BlockForm({ bucket, access, onSaved }: { bucket: string; access: Access; onSaved: () => void }) {
  const connection = useConnection();
  const change = useChange();
  const [blocked, setBlocked] = useState(access.blocked);
  const save = (): void => {
    const body = s3Document(
      "PublicAccessBlockConfiguration",
      BLOCK_NAMES.map((name) => tag(name, blocked.has(name))),
    );
    void change.run(async () => {
      await putConfiguration(connection, bucket, "publicAccessBlock", body);
      onSaved();
    }, t("access.saved"));
  };
  return (
    <>
      <h3>{t("access.blocks")}</h3>
      {BLOCK_NAMES.map((name) => (
        <CheckField
          key={name}
          label={name}
          hint={t(BLOCKS[name])}
          isChecked={blocked.has(name)}
          onChange={(isChecked) => {
            const next = new Set(blocked);
            if (isChecked) next.add(name);
            else next.delete(name);
            setBlocked(next);
          }}
        />
      ))}
      <FormActions change={change} onSave={save} />
    </>
  );
}

async function readAccess(connection: Connection, bucket: string): Promise<Access> {
  const [isOpen, text] = await Promise.all([
    isPublic(connection, bucket).catch((failure: unknown) => {
      if (failure instanceof ServiceError && failure.code === "NoSuchBucketPolicy") return false;
      throw failure;
    }),
    getConfiguration(connection, bucket, "publicAccessBlock"),
  ]);
  const root = text === undefined ? undefined : parseXml(text);
  return { isOpen, blocked: new Set(BLOCK_NAMES.filter((name) => textOf(root, name) === "true")) };
}

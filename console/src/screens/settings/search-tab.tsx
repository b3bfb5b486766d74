// The indexes with which a bucket's searches find objects without examining all of them.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { childrenOf, optionalText, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { RowsEditor } from "../../components/rows-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

const NAMED = ["Tag", "UserMetadata"] as const;
const PROPERTIES = ["ContentType", "StorageClass", "Size", "LastModified"] as const;
type Named = (typeof NAMED)[number];
type Kind = Named | (typeof PROPERTIES)[number];
const KINDS = [...NAMED, ...PROPERTIES];

interface Index {
  readonly kind: Kind;
  /** Of the tag or the entry; `*` for all of them. */
  readonly name: string;
  readonly isBuilding: boolean;
}

export function SearchTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(
    async () => indexesIn(await getConfiguration(connection, bucket, "queryConfiguration")),
    [bucket],
  );
  return (
    <SettingSection title={t("indexes.title")} lead={t("indexes.lead")} loaded={loaded}>
      {(indexes) => (
        <>
          {indexes.some(({ isBuilding }) => isBuilding) ? (
            <p class="notice">
              {t("indexes.building")} <Button onClick={loaded.reload}>{t("action.reload")}</Button>
            </p>
          ) : null}
          <IndexesForm key={JSON.stringify(indexes)} bucket={bucket} stored={indexes} onChanged={loaded.reload} />
        </>
      )}
    </SettingSection>
  );
}

interface IndexesFormProps {
  readonly bucket: string;
  readonly stored: readonly Index[];
  readonly onChanged: () => void;
}

function IndexesForm({ bucket, stored, onChanged }: IndexesFormProps) {
  const connection = useConnection();
  const change = useChange();
  const [indexes, setIndexes] = useState(stored);
  const save = (): void => {
    const rows = indexes.map(({ kind, name }) =>
      tag("Index", isNamed(kind) ? tag(kind, name.trim()) : tag("Property", kind)),
    );
    void change.run(async () => {
      if (rows.length === 0) await deleteConfiguration(connection, bucket, "queryConfiguration");
      else await putConfiguration(connection, bucket, "queryConfiguration", s3Document("QueryConfiguration", rows));
      onChanged();
    }, t("indexes.saved"));
  };
  return (
    <>
      {indexes.length === 0 ? <p>{t("indexes.none")}</p> : null}
      <RowsEditor
        rowName={(number) => t("indexes.row", { number })}
        rows={indexes}
        onChange={setIndexes}
        newRow={(): Index => ({ kind: "Tag", name: "", isBuilding: false })}
        addLabel={t("indexes.add")}
        isInline
        renderRow={(index, set) => (
          <>
            <SelectField
              label={t("indexes.kind")}
              value={index.kind}
              options={KINDS.map((kind) => [kind, t(`indexes.${kind}`)] as const)}
              onChange={(kind) => set({ kind, name: isNamed(kind) ? index.name : "", isBuilding: false })}
            />
            {isNamed(index.kind) ? (
              <TextField
                label={t("indexes.name")}
                hint={t("indexes.nameHint")}
                value={index.name}
                onChange={(name) => set({ ...index, name })}
              />
            ) : null}
            {index.isBuilding ? <Badge kind="warning">{t("indexes.isBuilding")}</Badge> : null}
          </>
        )}
      />
      <FormActions
        change={change}
        canSave={indexes.every(({ kind, name }) => !isNamed(kind) || name.trim() !== "")}
        onSave={save}
      />
    </>
  );
}

function isNamed(kind: Kind): kind is Named {
  return NAMED.some((one) => one === kind);
}

function indexesIn(text: string | undefined): Index[] {
  if (text === undefined) return [];
  return childrenOf(parseXml(text), "Index").flatMap((element): Index[] => {
    const isBuilding = textOf(element, "Status") === "Building";
    const property = PROPERTIES.find((one) => one === textOf(element, "Property"));
    if (property !== undefined) return [{ kind: property, name: "", isBuilding }];
    const kind = NAMED.find((one) => optionalText(element, one) !== undefined);
    return kind === undefined ? [] : [{ kind, name: textOf(element, kind), isBuilding }];
  });
}

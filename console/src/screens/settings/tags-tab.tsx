// Tags of a bucket.
import { useState } from "preact/hooks";
import { deleteConfiguration, getConfiguration, putConfiguration } from "../../clients/configurations.ts";
import { childOf, childrenOf, parseXml, s3Document, tag, textOf } from "../../clients/xml.ts";
import { type EditedTag, TagsEditor } from "../../components/tags-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { FormActions } from "./form-actions.tsx";
import { SettingSection } from "./setting-section.tsx";
import type { SettingsTabProps } from "./tabs.ts";

export function TagsTab({ bucket }: SettingsTabProps) {
  const connection = useConnection();
  const loaded = useLoad(async () => tagsIn(await getConfiguration(connection, bucket, "tagging")), [bucket]);
  return (
    <SettingSection title={t("settings.tags")} lead={t("tags.lead")} loaded={loaded}>
      {(tags) => <TagsForm bucket={bucket} stored={tags} />}
    </SettingSection>
  );
}

function TagsForm({ bucket, stored }: { bucket: string; stored: readonly EditedTag[] }) {
  const connection = useConnection();
  const change = useChange();
  const [tags, setTags] = useState(stored);
  const save = (): void => {
    const set = tags.map(({ key, value }) => tag("Tag", [tag("Key", key), tag("Value", value)]));
    void change.run(async () => {
      if (tags.length === 0) await deleteConfiguration(connection, bucket, "tagging");
      else await putConfiguration(connection, bucket, "tagging", s3Document("Tagging", tag("TagSet", set)));
    }, t("tags.saved"));
  };
  return (
    <>
      <TagsEditor tags={tags} onChange={setTags} />
      <FormActions change={change} onSave={save} canSave={tags.every(({ key }) => key !== "")} />
    </>
  );
}

function tagsIn(text: string | undefined): EditedTag[] {
  if (text === undefined) return [];
  return childrenOf(childOf(parseXml(text), "TagSet"), "Tag").map((element) => ({
    key: textOf(element, "Key"),
    value: textOf(element, "Value"),
  }));
}

// The tags of an object.
import { useState } from "preact/hooks";
import type { ObjectAddress } from "../../clients/object.ts";
import { getObjectTags, type ObjectTag, putObjectTags } from "../../clients/object-settings.ts";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { TagsEditor } from "../../components/tags-editor.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { visibleText } from "../../i18n/visible-text.ts";

export interface TagsSectionProps {
  readonly address: ObjectAddress;
  readonly isReadOnly: boolean;
}

export function TagsSection({ address, isReadOnly }: TagsSectionProps) {
  const { bucket, key, versionId } = address;
  const connection = useConnection();
  const loaded = useLoad((signal) => getObjectTags(connection, address, signal), [bucket, key, versionId]);
  return (
    <section class="section">
      <h2>{t("object.tags")}</h2>
      <p class="hint">{t("object.tagsLead")}</p>
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />}
      {loaded.value === undefined ? (
        loaded.failure === undefined && <Skeleton lines={2} />
      ) : isReadOnly ? (
        <TagList tags={loaded.value} />
      ) : (
        <TagsForm address={address} stored={loaded.value} />
      )}
    </section>
  );
}

function TagList({ tags }: { readonly tags: readonly ObjectTag[] }) {
  if (tags.length === 0) return <p>{t("object.noTags")}</p>;
  return (
    <dl class="object-facts">
      {tags.map(({ key, value }) => (
        <div key={key}>
          <dt dir="auto">{visibleText(key)}</dt>
          <dd dir="auto">{visibleText(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

function TagsForm({ address, stored }: { readonly address: ObjectAddress; readonly stored: readonly ObjectTag[] }) {
  const connection = useConnection();
  const change = useChange();
  const [tags, setTags] = useState(stored);
  const save = (): void => void change.run(() => putObjectTags(connection, address, tags), t("object.tagsSaved"));
  return (
    <>
      <TagsEditor tags={tags} onChange={setTags} />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} onRetry={save} />}
      <p>
        <Button isBusy={change.isBusy} isDisabled={tags.some((one) => one.key === "")} onClick={save}>
          {t("object.saveTags")}
        </Button>
      </p>
    </>
  );
}

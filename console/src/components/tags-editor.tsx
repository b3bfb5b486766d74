// Edits the tags of a bucket or of an object.
import { t } from "../i18n/language.ts";
import { TextField } from "./fields.tsx";
import { RowsEditor } from "./rows-editor.tsx";

export interface EditedTag {
  readonly key: string;
  readonly value: string;
}

export interface TagsEditorProps {
  readonly tags: readonly EditedTag[];
  readonly onChange: (tags: readonly EditedTag[]) => void;
}

export function TagsEditor({ tags, onChange }: TagsEditorProps) {
  return (
    <RowsEditor
      isInline
      rowName={(number) => t("tags.row", { number })}
      rows={tags}
      onChange={onChange}
      newRow={() => ({ key: "", value: "" })}
      addLabel={t("tags.add")}
      renderRow={(row, changeRow) => (
        <>
          <TextField label={t("tags.key")} value={row.key} onChange={(key) => changeRow({ ...row, key })} />
          <TextField label={t("tags.value")} value={row.value} onChange={(value) => changeRow({ ...row, value })} />
        </>
      )}
    />
  );
}

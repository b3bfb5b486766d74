// The form of a search: a text, and further conditions that can be shown.
import { useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { TextArea, TextField } from "../../components/fields.tsx";
import { SEARCH_FIELDS, type SearchField, type SearchForm } from "../../data/object-search.ts";
import type { TextKey } from "../../i18n/en.ts";
import { t } from "../../i18n/language.ts";

const MORE: readonly (readonly [SearchField, TextKey, "text" | "number" | "date"])[] = [
  ["prefix", "search.prefix", "text"],
  ["suffix", "search.suffix", "text"],
  ["type", "search.type", "text"],
  ["class", "search.class", "text"],
  ["min", "search.min", "number"],
  ["max", "search.max", "number"],
  ["after", "search.after", "date"],
  ["before", "search.before", "date"],
];

export interface SearchFieldsProps {
  readonly form: SearchForm;
  readonly onSearch: (form: SearchForm) => void;
}

export function SearchFields({ form, onSearch }: SearchFieldsProps) {
  const [draft, setDraft] = useState(form);
  const [isOpen] = useState(SEARCH_FIELDS.some((field) => field !== "text" && form[field] !== ""));
  const field = (name: SearchField) => ({
    value: draft[name],
    onChange: (value: string) => setDraft({ ...draft, [name]: value }),
  });
  return (
    <form
      class="section"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(draft);
      }}
    >
      <div class="objects-tools">
        <TextField
          label={t("search.text")}
          hint={t("search.textHint")}
          type="search"
          hasFocus={form.text === ""}
          {...field("text")}
        />
        <Button kind="primary" type="submit" icon="search">
          {t("search.go")}
        </Button>
      </div>
      <details open={isOpen}>
        <summary>{t("search.more")}</summary>
        <div class="search-more">
          <TextArea label={t("search.tags")} hint={t("search.namedHint")} rows={2} {...field("tags")} />
          <TextArea label={t("search.metadata")} hint={t("search.namedHint")} rows={2} {...field("metadata")} />
          {MORE.map(([name, label, type]) => (
            <TextField
              key={name}
              label={t(label)}
              type={type}
              {...(type === "number" ? { min: 0 } : {})}
              {...field(name)}
            />
          ))}
        </div>
      </details>
    </form>
  );
}

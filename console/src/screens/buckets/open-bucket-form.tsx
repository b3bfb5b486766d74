// Opens a bucket by name: the list lacks buckets that others created, which a user may still use.
import { useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/fields.tsx";
import { navigate } from "../../data/router.ts";
import { t } from "../../i18n/language.ts";

export function OpenBucketForm() {
  const [name, setName] = useState("");
  return (
    <form
      class="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== "") navigate(["buckets", name.trim()]);
      }}
    >
      <TextField label={t("buckets.open")} value={name} onChange={setName} />
      <Button type="submit">{t("buckets.browse")}</Button>
    </form>
  );
}

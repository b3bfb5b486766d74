// The breadcrumbs of a folder: the bucket's root, and each folder down to this one.
import { hrefOf } from "../../data/router.ts";
import { t } from "../../i18n/language.ts";
import { visibleText } from "../../i18n/visible-text.ts";

export function PrefixPath({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }) {
  const names = prefix.split("/");
  if (names.at(-1) === "") names.pop();
  const folders = names.map((name, index) => ({ name, prefix: `${names.slice(0, index + 1).join("/")}/` }));
  return (
    <nav class="breadcrumb prefix-path" aria-label={t("objects.folder")}>
      <ol>
        <li>
          <a href={hrefOf(["buckets", bucket, "objects"])} aria-current={prefix === "" ? "page" : undefined}>
            {t("objects.root")}
          </a>
        </li>
        {folders.map((folder, index) => (
          <li key={folder.prefix}>
            <a
              href={hrefOf(["buckets", bucket, "objects"], { prefix: folder.prefix })}
              aria-current={index === folders.length - 1 ? "page" : undefined}
              dir="auto"
            >
              {/* A key may have empty parts. */}
              {folder.name === "" ? "(//)" : visibleText(folder.name)}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}

// The actions of a folder: search, create a folder, upload. A snapshot cannot change, so it offers none of them.
import { snapshotAt } from "../../clients/snapshots.ts";
import { Button, LinkButton } from "../../components/button.tsx";
import { FileButton } from "../../components/file-button.tsx";
import { filesOfChooser } from "../../data/dropped-files.ts";
import { hrefOf } from "../../data/router.ts";
import type { NewUpload } from "../../data/uploads.ts";
import { t } from "../../i18n/language.ts";

export interface FolderActionsProps {
  readonly bucket: string;
  readonly prefix: string;
  readonly onReload: () => void;
  readonly onCreateFolder: () => void;
  readonly onFiles: (files: readonly NewUpload[]) => void;
}

export function FolderActions({ bucket, prefix, onReload, onCreateFolder, onFiles }: FolderActionsProps) {
  const reload = <Button icon="reload" label={t("action.reload")} kind="quiet" onClick={onReload} />;
  if (snapshotAt(bucket) !== undefined) return reload;
  const take = (files: FileList): void => onFiles(filesOfChooser(files, prefix));
  return (
    <>
      <LinkButton icon="search" href={hrefOf(["buckets", bucket, "search"], { prefix: prefix || undefined })}>
        {t("search.open")}
      </LinkButton>
      {reload}
      <Button icon="folder" onClick={onCreateFolder}>
        {t("objects.createFolder")}
      </Button>
      <FileButton label={t("uploads.folder")} isFolder onFiles={take} />
      <FileButton label={t("uploads.files")} kind="primary" isMultiple onFiles={take} />
    </>
  );
}

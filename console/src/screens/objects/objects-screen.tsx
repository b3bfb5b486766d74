// The objects of a bucket as folders: browse, filter, select, delete. A place names its prefix, so every folder has a link.
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { BucketPage } from "../../components/bucket-page.tsx";
import { Button, LinkButton } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { FileButton } from "../../components/file-button.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { downloadRows } from "../../data/download.ts";
import { useObjectList, type ObjectRow } from "../../data/object-list.ts";
import { hrefOf, navigate } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useConnection } from "../../data/session.ts";
import { filesOfChooser, splitReachable } from "../../data/dropped-files.ts";
import { showToast } from "../../data/toasts.ts";
import { addUploads, type NewUpload } from "../../data/uploads.ts";
import { plural, t } from "../../i18n/language.ts";
import { CreateFolderDialog } from "./create-folder-dialog.tsx";
import { DropZone } from "./drop-zone.tsx";
import { ObjectRows } from "./object-rows.tsx";
import { PrefixPath } from "./prefix-path.tsx";
import { SelectionActions } from "./selection-actions.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { parentOf, useShortcuts } from "./shortcuts.ts";
import "./objects.css";

/** A set of all keys costs time with each page of a long list. */
const EVERY_KEY = { has: () => true };

type Shown = "folder" | "shortcuts" | { readonly deletes: readonly ObjectRow[] };

export function ObjectsScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const prefix = props.query["prefix"] ?? "";
  // Each folder begins without a filter and a selection.
  return <Folder key={prefix} bucket={bucket} prefix={prefix} />;
}

function Folder({ bucket, prefix }: { readonly bucket: string; readonly prefix: string }) {
  const connection = useConnection();
  const list = useObjectList(bucket, prefix);
  const [filter, setFilter] = useState("");
  const [picked, setPicked] = useState<ReadonlySet<string> | "all">(new Set());
  const [focused, setFocused] = useState<number>();
  const [shown, setShown] = useState<Shown>();
  const close = useCallback(() => setShown(undefined), []);
  const filterField = useRef<HTMLDivElement>(null);
  const text = filter.trim().toLowerCase();
  const rows = useMemo(
    () => (text === "" ? list.rows : list.rows.filter(({ name }) => name.toLowerCase().includes(text))),
    [list.rows, text],
  );
  // A filter searches everything, and everything may be selected, so the rest of the list is loaded.
  const needsAll = text !== "" || picked === "all";
  useEffect(() => {
    if (needsAll && !list.isComplete && !list.isLoading && list.failure === undefined) list.loadMore();
  }, [needsAll, list]);
  const pickedKeys = (): ReadonlySet<string> => (picked === "all" ? new Set(rows.map(({ key }) => key)) : picked);
  const chosen = useMemo(() => (picked === "all" ? rows : rows.filter(({ key }) => picked.has(key))), [rows, picked]);

  const toggle = (row: ObjectRow): void => {
    const next = new Set(pickedKeys());
    if (!next.delete(row.key)) next.add(row.key);
    setPicked(next);
  };
  const filterBy = (next: string): void => {
    // All of what one filter shows is not all of what the next one shows.
    setPicked(pickedKeys());
    setFilter(next);
  };
  const onChanged = (): void => {
    setPicked(new Set());
    list.reload();
  };
  useShortcuts({
    rows,
    focused,
    setFocused,
    isDisabled: shown !== undefined,
    onOpen: (row) => navigate(...placeOf(bucket, row)),
    onUp: () => {
      if (prefix !== "") navigate(["buckets", bucket, "objects"], { prefix: parentOf(prefix) || undefined });
    },
    onToggle: toggle,
    onFilter: () => filterField.current?.querySelector("input")?.focus(),
    onDelete: (row) => {
      const deletes = chosen.length > 0 ? chosen : row === undefined ? [] : [row];
      if (deletes.length > 0) setShown({ deletes });
    },
    onHelp: () => setShown("shortcuts"),
  });

  const upload = (files: readonly NewUpload[]): void => {
    const { reachable, unreachable } = splitReachable(files);
    if (unreachable.length > 0) showToast(plural("uploads.unreachable", unreachable.length), { kind: "failure" });
    addUploads(bucket, reachable, list.reload);
  };

  const isFirstLoad = list.isLoading && list.rows.length === 0;
  return (
    <BucketPage
      bucket={bucket}
      section="objects"
      actions={
        <>
          <LinkButton icon="search" href={hrefOf(["buckets", bucket, "search"], { prefix: prefix || undefined })}>
            {t("search.open")}
          </LinkButton>
          <Button icon="reload" label={t("action.reload")} kind="quiet" onClick={list.reload} />
          <Button icon="folder" onClick={() => setShown("folder")}>
            {t("objects.createFolder")}
          </Button>
          <FileButton label={t("uploads.folder")} isFolder onFiles={(files) => upload(filesOfChooser(files, prefix))} />
          <FileButton
            label={t("uploads.files")}
            kind="primary"
            isMultiple
            onFiles={(files) => upload(filesOfChooser(files, prefix))}
          />
        </>
      }
    >
      <DropZone prefix={prefix} onFiles={upload}>
        <PrefixPath bucket={bucket} prefix={prefix} />
        {list.failure === undefined ? null : <ErrorPanel failure={list.failure} onRetry={list.retry} />}
        {isFirstLoad ? (
          <Skeleton lines={8} />
        ) : list.rows.length === 0 ? (
          list.failure === undefined ? (
            <EmptyState title={t("objects.empty.title")}>
              <p>{prefix === "" ? t("objects.empty.bucket") : t("objects.empty.folder", { prefix })}</p>
            </EmptyState>
          ) : null
        ) : (
          <>
            <div class="objects-tools" ref={filterField}>
              <TextField label={t("objects.filter")} type="search" value={filter} onChange={filterBy} />
              <SelectionActions
                bucket={bucket}
                prefix={prefix}
                chosen={chosen}
                deletes={typeof shown === "object" ? shown.deletes : undefined}
                onDelete={(deletes) => setShown(deletes && { deletes })}
                onClear={() => setPicked(new Set())}
                onChanged={onChanged}
              />
            </div>
            {rows.length === 0 ? (
              <p class="hint">{t("objects.noMatch", { text: filter })}</p>
            ) : (
              <ObjectRows
                rows={rows}
                selected={picked === "all" ? EVERY_KEY : picked}
                focused={focused}
                onFocus={setFocused}
                onToggle={toggle}
                onToggleAll={() => setPicked(picked === "all" || chosen.length === rows.length ? new Set() : "all")}
                hrefFor={(row) => hrefOf(...placeOf(bucket, row))}
                onDownload={(row) => void downloadRows(connection, bucket, [row])}
                onDelete={(row) => setShown({ deletes: [row] })}
                onNearEnd={list.loadMore}
              />
            )}
            <p class="hint objects-count" role="status">
              {list.isComplete ? plural("objects.shown", rows.length) : plural("objects.shownSoFar", rows.length)}
            </p>
          </>
        )}
      </DropZone>
      {shown === "folder" ? (
        <CreateFolderDialog bucket={bucket} prefix={prefix} onClose={close} onCreated={list.reload} />
      ) : null}
      {shown === "shortcuts" ? <ShortcutsDialog onClose={close} /> : null}
    </BucketPage>
  );
}

/** The place of a row: a folder's list, or an object's page. */
function placeOf(bucket: string, { type, key }: ObjectRow): [steps: string[], query: Record<string, string>] {
  return type === "folder"
    ? [["buckets", bucket, "objects"], { prefix: key }]
    : [["buckets", bucket, "object"], { key }];
}

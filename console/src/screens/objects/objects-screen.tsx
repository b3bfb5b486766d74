// The objects of a bucket or a snapshot as folders: browse, filter, sort, select. The address contains the prefix, so every
// folder has a link.
import { useRef, useState } from "preact/hooks";
import type { PublicAddresses } from "../../clients/public-addresses.ts";
import { snapshotAt } from "../../clients/snapshots.ts";
import { BucketPage } from "../../components/bucket-page.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { useObjectList, type ObjectRow } from "../../data/object-list.ts";
import { usePublicAddresses } from "../../data/public-addresses.ts";
import { hrefOf, navigate } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { splitReachable } from "../../data/dropped-files.ts";
import { showToast } from "../../data/toasts.ts";
import { addUploads, type NewUpload } from "../../data/uploads.ts";
import { plural, t } from "../../i18n/language.ts";
import { BucketAddresses } from "./bucket-addresses.tsx";
import { CreateFolderDialog } from "./create-folder-dialog.tsx";
import { DropZone } from "./drop-zone.tsx";
import { FolderActions } from "./folder-actions.tsx";
import { useFolderView } from "./folder-view.ts";
import { ObjectRows } from "./object-rows.tsx";
import { PrefixPath } from "./prefix-path.tsx";
import { useRowCommands } from "./row-commands.ts";
import { RowDialogs } from "./row-dialogs.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { parentOf } from "./shortcuts.ts";
import "./objects.css";

export function ObjectsScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const prefix = props.query["prefix"] ?? "";
  const addresses = usePublicAddresses(bucket);
  // Each folder begins without a filter and a selection.
  return <Folder key={prefix} bucket={bucket} prefix={prefix} addresses={addresses} />;
}

interface FolderProps {
  readonly bucket: string;
  readonly prefix: string;
  readonly addresses: PublicAddresses | undefined;
}

function Folder({ bucket, prefix, addresses }: FolderProps) {
  const list = useObjectList(bucket, prefix);
  const view = useFolderView(list);
  const { rows, chosen } = view;
  const [focused, setFocused] = useState<number>();
  const [isCreating, setCreating] = useState(false);
  const filterField = useRef<HTMLDivElement>(null);
  const isSnapshot = snapshotAt(bucket) !== undefined;
  const onChanged = (): void => {
    view.clear();
    list.reload();
  };
  const hrefFor = (row: ObjectRow): string => hrefOf(...placeOf(bucket, row));
  const commands = useRowCommands({
    bucket,
    rows,
    chosen,
    focused,
    setFocused,
    isDisabled: isCreating,
    hrefFor,
    onOpen: (row) => navigate(...placeOf(bucket, row)),
    onUp: () => {
      if (prefix !== "") navigate(["buckets", bucket, "objects"], { prefix: parentOf(prefix) || undefined });
    },
    onToggle: view.toggle,
    onToggleAll: view.toggleAll,
    onFilter: () => filterField.current?.querySelector("input")?.focus(),
    addresses,
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
      hasSnapshots
      actions={
        <FolderActions
          bucket={bucket}
          prefix={prefix}
          onReload={list.reload}
          onCreateFolder={() => setCreating(true)}
          onFiles={upload}
        />
      }
    >
      <DropZone prefix={prefix} isDisabled={isSnapshot} onFiles={upload}>
        <div class="folder-line">
          <PrefixPath bucket={bucket} prefix={prefix} />
          {addresses === undefined ? null : <BucketAddresses bucket={bucket} prefix={prefix} addresses={addresses} />}
        </div>
        {list.failure === undefined ? null : <ErrorPanel failure={list.failure} onRetry={list.retry} />}
        {isFirstLoad ? (
          <Skeleton lines={8} />
        ) : list.rows.length === 0 ? (
          list.failure === undefined ? (
            <EmptyFolder prefix={prefix} isSnapshot={isSnapshot} />
          ) : null
        ) : (
          <>
            <div class="objects-tools" ref={filterField}>
              <TextField label={t("objects.filter")} type="search" value={view.filter} onChange={view.filterBy} />
              <SelectionBar bucket={bucket} chosen={chosen} onClear={view.clear} {...commands.selection} />
            </div>
            {rows.length === 0 ? (
              <p class="hint">{t("objects.noMatch", { text: view.filter })}</p>
            ) : (
              <ObjectRows
                rows={rows}
                selected={view.selected}
                focused={focused}
                sort={view.sort}
                onSort={view.sortBy}
                onFocus={setFocused}
                onToggle={view.toggle}
                onToggleAll={view.toggleAll}
                hrefFor={hrefFor}
                menuFor={commands.menuFor}
                onNearEnd={list.loadMore}
                addresses={addresses}
              />
            )}
            <p class="hint objects-count" role="status">
              {list.isComplete ? plural("objects.shown", rows.length) : plural("objects.shownSoFar", rows.length)}
            </p>
          </>
        )}
      </DropZone>
      {isCreating ? (
        <CreateFolderDialog
          bucket={bucket}
          prefix={prefix}
          onClose={() => setCreating(false)}
          onCreated={list.reload}
        />
      ) : null}
      {commands.hasHelp ? <ShortcutsDialog bucket={bucket} onClose={commands.closeHelp} /> : null}
      <RowDialogs
        bucket={bucket}
        prefix={prefix}
        question={commands.question}
        onClose={commands.closeQuestion}
        onChanged={onChanged}
      />
    </BucketPage>
  );
}

function EmptyFolder({ prefix, isSnapshot }: { readonly prefix: string; readonly isSnapshot: boolean }) {
  const text = prefix === "" ? t("objects.empty.bucket") : t("objects.empty.folder", { prefix });
  return (
    <EmptyState title={t("objects.empty.title")}>
      <p>{prefix === "" && isSnapshot ? t("objects.empty.snapshot") : text}</p>
    </EmptyState>
  );
}

/** The place that a row links to: a folder's list, or an object's page. */
function placeOf(bucket: string, { type, key }: ObjectRow): [steps: string[], query: Record<string, string>] {
  return type === "folder"
    ? [["buckets", bucket, "objects"], { prefix: key }]
    : [["buckets", bucket, "object"], { key }];
}

// The snapshots of a bucket: create, browse, compare with the current content, restore, delete.
import { useState } from "preact/hooks";
import {
  createSnapshot,
  deleteSnapshot,
  listSnapshots,
  restoreSnapshot,
  type Snapshot,
} from "../../clients/snapshots.ts";
import { BucketPage } from "../../components/bucket-page.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { Menu } from "../../components/menu.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { Table } from "../../components/table.tsx";
import { formatTime } from "../../data/formats.ts";
import { hrefOf } from "../../data/router.ts";
import { paramOf, type ScreenProps } from "../../data/screen.ts";
import { useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { CompareDialog } from "./compare-dialog.tsx";

interface Shown {
  readonly dialog: "compare" | "restore" | "delete";
  readonly snapshot: Snapshot;
}

export function SnapshotsScreen(props: ScreenProps) {
  const bucket = paramOf(props, "bucket");
  const connection = useConnection();
  const change = useChange();
  const { value: snapshots, failure, isLoading, reload } = useLoad(() => listSnapshots(connection, bucket), [bucket]);
  const [name, setName] = useState("");
  const [shown, setShown] = useState<Shown>();
  const [prefix, setPrefix] = useState("");
  const close = (): void => setShown(undefined);
  const show = (dialog: Shown["dialog"], snapshot: Snapshot): void => {
    setPrefix("");
    setShown({ dialog, snapshot });
  };
  const create = (): void =>
    void change.run(
      async () => {
        await createSnapshot(connection, bucket, name);
        setName("");
        reload();
      },
      t("snapshots.wasCreated", { snapshot: name }),
    );
  return (
    <BucketPage bucket={bucket} section="snapshots">
      <p class="hint">{t("snapshots.lead")}</p>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <TextField label={t("snapshots.name")} hint={t("snapshots.nameHint")} value={name} onChange={setName} />
        <Button type="submit" icon="plus" isBusy={change.isBusy} isDisabled={name === ""}>
          {t("snapshots.create")}
        </Button>
      </form>
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {snapshots === undefined ? (
        isLoading && <Skeleton lines={4} />
      ) : snapshots.length === 0 ? (
        <EmptyState title={t("snapshots.none")}>
          <p>{t("snapshots.noneText")}</p>
        </EmptyState>
      ) : (
        <Table
          label={t("bucket.snapshots")}
          rows={snapshots}
          rowKey={(snapshot) => snapshot.name}
          columns={[
            {
              id: "name",
              title: t("snapshots.name"),
              isHeader: true,
              cell: ({ name: text, address }) => <a href={hrefOf(["buckets", address, "objects"])}>{text}</a>,
            },
            { id: "created", title: t("snapshots.created"), cell: ({ createdAt }) => formatTime(createdAt) },
            {
              id: "actions",
              title: t("action.more"),
              hidesTitle: true,
              cell: (snapshot) => (
                <Menu
                  label={t("snapshots.actionsOf", { snapshot: snapshot.name })}
                  actions={[
                    { label: t("snapshots.browse"), href: hrefOf(["buckets", snapshot.address, "objects"]) },
                    { label: t("snapshots.compare"), onChoose: () => show("compare", snapshot) },
                    { label: t("snapshots.restore"), onChoose: () => show("restore", snapshot) },
                    { label: t("action.delete"), kind: "danger", onChoose: () => show("delete", snapshot) },
                  ]}
                />
              ),
            },
          ]}
        />
      )}
      {shown?.dialog === "compare" ? <CompareDialog bucket={bucket} snapshot={shown.snapshot} onClose={close} /> : null}
      {shown?.dialog === "restore" ? (
        <ConfirmDialog
          title={t("snapshots.restoreOne", { snapshot: shown.snapshot.name })}
          confirmLabel={t("snapshots.restore")}
          onClose={close}
          onConfirm={async () => {
            const { restored, deleted } = await restoreSnapshot(connection, bucket, shown.snapshot.name, prefix);
            showToast(t("snapshots.wasRestored", { restored, deleted }));
          }}
        >
          <p>{t("snapshots.restoreText")}</p>
          <TextField
            label={t("snapshots.prefix")}
            hint={t("snapshots.prefixHint")}
            value={prefix}
            onChange={setPrefix}
          />
        </ConfirmDialog>
      ) : null}
      {shown?.dialog === "delete" ? (
        <ConfirmDialog
          title={t("snapshots.deleteOne", { snapshot: shown.snapshot.name })}
          confirmLabel={t("action.delete")}
          onClose={close}
          onConfirm={async () => {
            await deleteSnapshot(connection, bucket, shown.snapshot.name);
            reload();
          }}
        >
          <p>{t("snapshots.deleteText")}</p>
        </ConfirmDialog>
      ) : null}
    </BucketPage>
  );
}

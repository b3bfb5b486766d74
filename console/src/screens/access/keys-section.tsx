// The access keys of a user: create, rotate, deactivate, delete.
import { useState } from "preact/hooks";
import {
  type AccessKey,
  createAccessKey,
  deleteAccessKey,
  getAccessKeyLastUse,
  listAccessKeys,
  type NewAccessKey,
  setAccessKeyActive,
} from "../../clients/iam.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Menu, type MenuAction } from "../../components/menu.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatRelative, formatTime } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { CredentialsDialog } from "./credentials-dialog.tsx";

/** IAM's limit of keys per user, so that a new key can replace an old one. */
const KEYS_MAX = 2;

interface ShownKey extends AccessKey {
  /** In ms; undefined: never, or the caller may not know. */
  readonly usedAt: number | undefined;
}

interface Created {
  readonly key: NewAccessKey;
  /** The key that the new one replaces. */
  readonly replaced: string | undefined;
}

export function KeysSection({ user }: { readonly user: string }) {
  const connection = useConnection();
  const change = useChange();
  const [created, setCreated] = useState<Created>();
  const [doomed, setDoomed] = useState<string>();
  const loaded = useLoad(async (): Promise<ShownKey[]> => {
    const keys = await listAccessKeys(connection, user);
    return Promise.all(
      keys.map(async ({ id, isActive, createdAt }) => ({ id, isActive, createdAt, usedAt: await lastUseOf(id) })),
    );
  }, [user]);
  // A refusal hides only this column.
  const lastUseOf = (id: string): Promise<number | undefined> =>
    getAccessKeyLastUse(connection, id).catch(() => undefined);
  const keys = loaded.value;
  const isFull = (keys?.length ?? 0) >= KEYS_MAX;

  const create = (replaced?: string): void =>
    void change.run(async () => {
      const key = await createAccessKey(connection, user);
      setCreated({ key, replaced });
      loaded.reload();
    });
  const setActive = (id: string, isActive: boolean): void =>
    void change.run(
      async () => {
        await setAccessKeyActive(connection, user, id, isActive);
        loaded.reload();
      },
      t(isActive ? "keys.wasActivated" : "keys.wasDeactivated", { key: id }),
    );
  const actionsOf = ({ id, isActive }: ShownKey): MenuAction[] => [
    ...(isActive && !isFull ? [{ label: t("keys.rotate"), onChoose: () => create(id) }] : []),
    { label: t(isActive ? "keys.deactivate" : "keys.activate"), onChoose: () => setActive(id, !isActive) },
    { label: t("action.delete"), kind: "danger", onChoose: () => setDoomed(id) },
  ];

  return (
    <section class="section access-section">
      <h2>{t("keys.title")}</h2>
      <p class="hint">{t("keys.lead")}</p>
      {loaded.failure === undefined ? null : <ErrorPanel failure={loaded.failure} onRetry={loaded.reload} />}
      {keys === undefined ? (
        loaded.isLoading && <Skeleton lines={3} />
      ) : keys.length === 0 ? (
        <EmptyState title={t("keys.none")}>
          <p>{t("keys.noneText")}</p>
        </EmptyState>
      ) : (
        <Table
          label={t("keys.title")}
          columns={columnsOf(actionsOf, connection.now())}
          rows={keys}
          rowKey={({ id }) => id}
        />
      )}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p class="actions">
        <Button icon="plus" isBusy={change.isBusy} isDisabled={isFull} onClick={() => create()}>
          {t("keys.create")}
        </Button>
        {isFull ? <span class="hint">{t("keys.full")}</span> : null}
      </p>
      {created === undefined ? null : (
        <CredentialsDialog
          title={t("keys.created")}
          lead={created.replaced === undefined ? t("keys.once") : t("keys.rotated", { key: created.replaced })}
          credentials={created.key}
          onClose={() => setCreated(undefined)}
          actions={
            created.replaced === undefined ? null : (
              <Button
                onClick={() => {
                  setActive(created.replaced ?? "", false);
                  setCreated(undefined);
                }}
              >
                {t("keys.deactivateOld")}
              </Button>
            )
          }
        />
      )}
      {doomed === undefined ? null : (
        <ConfirmDialog
          title={t("keys.delete")}
          confirmLabel={t("action.delete")}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await deleteAccessKey(connection, user, doomed);
            loaded.reload();
          }}
        >
          <p>{t("keys.deleteText", { key: doomed })}</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function columnsOf(actionsOf: (key: ShownKey) => MenuAction[], now: number): Column<ShownKey>[] {
  return [
    { id: "id", title: t("keys.id"), isHeader: true, cell: ({ id }) => <code>{id}</code> },
    {
      id: "state",
      title: t("keys.state"),
      cell: ({ isActive }) => (
        <Badge kind={isActive ? "good" : "neutral"}>{t(isActive ? "keys.active" : "keys.inactive")}</Badge>
      ),
    },
    { id: "created", title: t("users.created"), cell: ({ createdAt }) => formatTime(createdAt) },
    {
      id: "used",
      title: t("keys.used"),
      cell: ({ usedAt }) =>
        usedAt === undefined ? t("keys.unused") : <span title={formatTime(usedAt)}>{formatRelative(usedAt, now)}</span>,
    },
    {
      id: "actions",
      title: t("action.more"),
      hidesTitle: true,
      cell: (key) => <Menu label={t("keys.actionsOf", { key: key.id })} actions={actionsOf(key)} />,
    },
  ];
}

// The list of users, and temporary credentials of the caller.
import { useCallback, useMemo, useState } from "preact/hooks";
import { createUser, deleteUser, listUsers, type User } from "../../clients/iam.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { TextField } from "../../components/fields.tsx";
import { Page } from "../../components/page.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatTime } from "../../data/formats.ts";
import { hrefOf, navigate } from "../../data/router.ts";
import { requireSession, useConnection } from "../../data/session.ts";
import { showToast } from "../../data/toasts.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { SessionSection } from "./session-section.tsx";
import "./access.css";

export function UsersScreen() {
  const connection = useConnection();
  const { value: users, failure, reload } = useLoad(() => listUsers(connection), []);
  const [filter, setFilter] = useState("");
  const [isCreating, setCreating] = useState(false);
  const [doomed, setDoomed] = useState<string>();
  const closeDeletion = useCallback(() => setDoomed(undefined), []);
  const matching = useMemo(() => users?.filter(({ name }) => name.includes(filter.trim())), [users, filter]);
  return (
    <Page
      title={t("users.title")}
      actions={
        <>
          <Button icon="reload" label={t("action.reload")} kind="quiet" onClick={reload} />
          <Button icon="plus" kind="primary" onClick={() => setCreating(true)}>
            {t("users.create")}
          </Button>
        </>
      }
    >
      <p class="hint access-lead">{t("users.lead")}</p>
      {failure === undefined ? null : <Refused failure={failure} onRetry={reload} />}
      {matching === undefined ? (
        failure === undefined && <Skeleton lines={5} />
      ) : users?.length === 0 ? (
        <EmptyState title={t("users.none")}>
          <p>{t("users.noneText")}</p>
        </EmptyState>
      ) : (
        <>
          <TextField label={t("users.filter")} type="search" value={filter} onChange={setFilter} />
          <Table label={t("users.title")} columns={columnsOf(setDoomed)} rows={matching} rowKey={({ name }) => name} />
        </>
      )}
      <SessionSection />
      {isCreating ? <CreateUserDialog onClose={() => setCreating(false)} /> : null}
      {doomed === undefined ? null : <DeleteUserDialog user={doomed} onClose={closeDeletion} onDeleted={reload} />}
    </Page>
  );
}

function columnsOf(onDelete: (user: string) => void): Column<User>[] {
  return [
    {
      id: "name",
      title: t("users.name"),
      isHeader: true,
      cell: ({ name }) => <a href={hrefOf(["users", name])}>{name}</a>,
    },
    { id: "arn", title: "ARN", cell: ({ arn }) => <code class="arn">{arn}</code> },
    { id: "created", title: t("users.created"), cell: ({ createdAt }) => formatTime(createdAt) },
    {
      id: "actions",
      title: t("action.more"),
      hidesTitle: true,
      cell: ({ name }) => (
        <Button kind="quiet" icon="trash" label={t("users.deleteOne", { user: name })} onClick={() => onDelete(name)} />
      ),
    },
  ];
}

/** A user without the permission to list users may still manage their own keys. */
function Refused({ failure, onRetry }: { readonly failure: unknown; readonly onRetry: () => void }) {
  const { arn, name } = requireSession();
  return (
    <>
      <ErrorPanel failure={failure} onRetry={onRetry} />
      {arn.includes(":user/") ? (
        <p>
          <a href={hrefOf(["users", name])}>{t("users.own", { user: name })}</a>
        </p>
      ) : null}
    </>
  );
}

function CreateUserDialog({ onClose }: { readonly onClose: () => void }) {
  const connection = useConnection();
  const change = useChange();
  const [name, setName] = useState("");
  const create = (): void =>
    void change.run(
      async () => {
        await createUser(connection, name);
        navigate(["users", name]);
      },
      t("users.wasCreated", { user: name }),
    );
  return (
    <Dialog
      title={t("users.create")}
      onClose={onClose}
      onSubmit={create}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" isBusy={change.isBusy} isDisabled={name === ""}>
            {t("action.create")}
          </Button>
        </>
      }
    >
      <TextField
        label={t("users.name")}
        hint={t("users.nameHint")}
        value={name}
        onChange={(text) => setName(text.trim())}
        hasFocus
      />
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
    </Dialog>
  );
}

interface DeleteUserDialogProps {
  readonly user: string;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

function DeleteUserDialog({ user, onClose, onDeleted }: DeleteUserDialogProps) {
  const connection = useConnection();
  return (
    <ConfirmDialog
      title={t("users.deleteOne", { user })}
      confirmLabel={t("action.delete")}
      typedName={user}
      onClose={onClose}
      onConfirm={async () => {
        await deleteUser(connection, user);
        showToast(t("users.wasDeleted", { user }));
        onDeleted();
      }}
    >
      <p>{t("users.deleteText")}</p>
    </ConfirmDialog>
  );
}

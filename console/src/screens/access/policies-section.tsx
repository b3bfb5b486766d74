// The inline policies of a user: show, edit, add from a template, delete.
import { useState } from "preact/hooks";
import { deleteUserPolicy, getUserPolicy, listUserPolicies } from "../../clients/iam.ts";
import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/confirm-dialog.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { EmptyState, Skeleton } from "../../components/placeholders.tsx";
import { Table } from "../../components/table.tsx";
import { useConnection } from "../../data/session.ts";
import { useChange } from "../../data/use-change.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { type EditedPolicy, PolicyDialog } from "./policy-dialog.tsx";

export function PoliciesSection({ user }: { readonly user: string }) {
  const connection = useConnection();
  const change = useChange();
  const { value: names, failure, isLoading, reload } = useLoad(() => listUserPolicies(connection, user), [user]);
  const [edited, setEdited] = useState<EditedPolicy>();
  const [doomed, setDoomed] = useState<string>();
  const edit = (name: string): void =>
    void change.run(async () => {
      const document = (await getUserPolicy(connection, user, name)) ?? "";
      setEdited({ name, document: indented(document) });
    });
  return (
    <section class="section access-section">
      <h2>{t("userPolicy.title")}</h2>
      <p class="hint">{t("userPolicy.lead")}</p>
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {names === undefined ? (
        isLoading && <Skeleton lines={3} />
      ) : names.length === 0 ? (
        <EmptyState title={t("userPolicy.none")}>
          <p>{t("userPolicy.noneText")}</p>
        </EmptyState>
      ) : (
        <Table
          label={t("userPolicy.title")}
          columns={[
            { id: "name", title: t("userPolicy.name"), isHeader: true, cell: (name: string) => name },
            {
              id: "actions",
              title: t("action.more"),
              hidesTitle: true,
              cell: (name: string) => (
                <span class="actions">
                  <Button
                    onClick={() => edit(name)}
                    label={t("userPolicy.editOne", { policy: name })}
                    icon="settings"
                  />
                  <Button
                    kind="quiet"
                    icon="trash"
                    label={t("userPolicy.removeOne", { policy: name })}
                    onClick={() => setDoomed(name)}
                  />
                </span>
              ),
            },
          ]}
          rows={names}
          rowKey={(name) => name}
        />
      )}
      {change.failure === undefined ? null : <ErrorPanel failure={change.failure} />}
      <p class="actions">
        <Button icon="plus" onClick={() => setEdited({ name: undefined, document: "" })}>
          {t("userPolicy.add")}
        </Button>
      </p>
      {edited === undefined ? null : (
        <PolicyDialog user={user} edited={edited} onClose={() => setEdited(undefined)} onSaved={reload} />
      )}
      {doomed === undefined ? null : (
        <ConfirmDialog
          title={t("userPolicy.removeOne", { policy: doomed })}
          confirmLabel={t("action.delete")}
          onClose={() => setDoomed(undefined)}
          onConfirm={async () => {
            await deleteUserPolicy(connection, user, doomed);
            reload();
          }}
        >
          <p>{t("userPolicy.removeText")}</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

/** The server stores the text unchanged, and other clients send it in one line. */
function indented(document: string): string {
  if (document.includes("\n")) return document;
  try {
    return JSON.stringify(JSON.parse(document), undefined, 2);
  } catch {
    return document;
  }
}

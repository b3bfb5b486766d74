// Shows credentials, which the server answers only once, and the settings of clients that use them.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Credentials } from "../../clients/connection.ts";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { clientSettings } from "../../data/client-settings.ts";
import { useConnection } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";

export interface CredentialsDialogProps {
  readonly title: string;
  readonly lead: string;
  readonly credentials: Credentials;
  readonly onClose: () => void;
  readonly actions?: ComponentChildren;
}

export function CredentialsDialog({ title, lead, credentials, onClose, actions }: CredentialsDialogProps) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const parts = [
    [t("keys.id"), accessKeyId],
    [t("keys.secret"), secretAccessKey],
    ...(sessionToken === undefined ? [] : [[t("keys.token"), sessionToken] as const]),
  ] as const;
  return (
    <Dialog
      title={title}
      isWide
      onClose={onClose}
      actions={
        <>
          {actions}
          <Button kind="primary" onClick={onClose}>
            {t("keys.stored")}
          </Button>
        </>
      }
    >
      <p role="alert">{lead}</p>
      <dl class="credentials">
        {parts.map(([label, text]) => (
          <>
            <dt key={`${label}-title`}>{label}</dt>
            <dd key={label}>
              <code>{text}</code>
            </dd>
            <dd key={`${label}-copy`}>
              <CopyButton text={text} label={t("keys.copy", { name: label })} />
            </dd>
          </>
        ))}
      </dl>
      <ClientTabs credentials={credentials} />
    </Dialog>
  );
}

function ClientTabs({ credentials }: { readonly credentials: Credentials }) {
  const { publicEndpoint: endpoint } = useConnection();
  const all = clientSettings({ endpoint, ...credentials });
  const [chosen, setChosen] = useState(all[0]?.client);
  const shown = all.find(({ client }) => client === chosen);
  return (
    <section class="client-settings" aria-label={t("clients.title")}>
      <h3>{t("clients.title")}</h3>
      <div class="client-tabs" role="group" aria-label={t("clients.choose")}>
        {all.map(({ client }) => (
          <button
            key={client}
            type="button"
            class={`button ${client === chosen ? "primary" : "quiet"}`}
            aria-pressed={client === chosen}
            onClick={() => setChosen(client)}
          >
            {client}
          </button>
        ))}
      </div>
      {shown === undefined ? null : (
        <>
          <p class="hint">{t("clients.target", { target: shown.target })}</p>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard */}
          <pre tabIndex={0} aria-label={shown.client}>
            <code>{shown.text}</code>
          </pre>
          <p>
            <CopyButton text={shown.text} label={t("clients.copy")} />
          </p>
        </>
      )}
    </section>
  );
}

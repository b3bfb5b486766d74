// The account menu: the principal, theme and language, and signing out.
import { useId, useState } from "preact/hooks";
import { Button } from "../components/button.tsx";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import { Icon } from "../components/icon.tsx";
import { Preferences } from "../components/preferences.tsx";
import { formatRelative } from "../data/formats.ts";
import { currentSession, signOut } from "../data/session.ts";
import { uploads } from "../data/uploads.ts";
import { plural, t } from "../i18n/language.ts";

export function AccountMenu() {
  const id = useId();
  const session = currentSession();
  const [isAsking, setAsking] = useState(false);
  const open = uploads.value.filter(({ state }) => state !== "done" && state !== "lost").length;
  return (
    <div class="account">
      <button type="button" class="button quiet" popovertarget={id}>
        <Icon name="user" />
        <span class="visually-hidden">{t("account.menu")}</span>
        <span class="account-name" dir="auto">
          {session?.name}
        </span>
      </button>
      <div id={id} class="account-panel" popover="auto">
        {session === undefined ? null : (
          <p>
            {t("account.signedInAs")}
            <br />
            <code class="arn">{session.arn}</code>
          </p>
        )}
        {session?.expiresAt === undefined ? null : (
          <p class="hint">
            {t("account.expires", { time: formatRelative(session.expiresAt, session.connection.now()) })}
          </p>
        )}
        <Preferences />
        <Button onClick={() => (open === 0 ? signOut() : setAsking(true))}>{t("account.signOut")}</Button>
      </div>
      {isAsking ? (
        <ConfirmDialog
          title={t("account.signOut")}
          confirmLabel={t("account.signOut")}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            signOut();
            return Promise.resolve();
          }}
        >
          <p>{plural("account.openUploads", open)}</p>
        </ConfirmDialog>
      ) : null}
    </div>
  );
}

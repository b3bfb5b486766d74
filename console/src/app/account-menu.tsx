// Who is signed in, the colours and the language, and the way out.
import { useId } from "preact/hooks";
import { Button } from "../components/button.tsx";
import { Icon } from "../components/icon.tsx";
import { Preferences } from "../components/preferences.tsx";
import { formatRelative } from "../data/formats.ts";
import { currentSession, signOut } from "../data/session.ts";
import { t } from "../i18n/language.ts";

export function AccountMenu() {
  const id = useId();
  const session = currentSession();
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
        <Button onClick={() => signOut()}>{t("account.signOut")}</Button>
      </div>
    </div>
  );
}

// Signs in with an access key or temporary credentials.
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { Preferences } from "../../components/preferences.tsx";
import { resumeSession, signedOutBecause } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";
import { useSignInForm } from "./sign-in-form.tsx";
import "./sign-in.css";

export function SignInScreen() {
  const { submit, content } = useSignInForm();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = t("signIn.title");
    heading.current?.focus();
  }, []);
  const because = signedOutBecause.value;

  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <h1 ref={heading} tabIndex={-1}>
          {t("signIn.title")}
        </h1>
        <p class="hint">{t("signIn.lead")}</p>
        {because === "expired" ? <p class="notice">{t("signIn.expired")}</p> : null}
        {because === "unreachable" ? (
          <p class="notice">
            {t("signIn.unreachable")}{" "}
            <Button icon="reload" onClick={() => void resumeSession()}>
              {t("signIn.resume")}
            </Button>
          </p>
        ) : null}
        {because === "ended-link" ? <p class="notice">{t("signIn.endedLink")}</p> : null}
        {because === "bad-link" ? <p class="notice">{t("signIn.badLink")}</p> : null}
        {content}
        <p class="hint">
          {t("signIn.endpoint")}: <code>{location.origin}</code>
        </p>
      </form>
      <Preferences />
    </main>
  );
}

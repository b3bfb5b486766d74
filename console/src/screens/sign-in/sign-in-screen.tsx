// Signs in with an access key or temporary credentials.
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, TextField } from "../../components/fields.tsx";
import { Preferences } from "../../components/preferences.tsx";
import { resumeSession, signedOutBecause, signIn } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";
import "./sign-in.css";

export function SignInScreen() {
  const [accessKeyId, setAccessKeyId] = useState("");
  const [secretAccessKey, setSecret] = useState("");
  const [sessionToken, setToken] = useState("");
  const [remember, setRemember] = useState(false);
  const [wasSubmitted, setSubmitted] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = t("signIn.title");
    heading.current?.focus();
  }, []);
  const because = signedOutBecause.value;

  const submit = async (): Promise<void> => {
    setSubmitted(true);
    if (accessKeyId.trim() === "" || secretAccessKey.trim() === "") return;
    setBusy(true);
    setFailure(undefined);
    try {
      const token = sessionToken.trim();
      const keys = { accessKeyId: accessKeyId.trim(), secretAccessKey: secretAccessKey.trim() };
      await signIn({ ...keys, ...(token === "" ? {} : { sessionToken: token }) }, { remember });
    } catch (thrown) {
      setFailure(thrown);
      setBusy(false);
    }
  };

  return (
    <main class="sign-in">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
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
        {because === "bad-link" ? <p class="notice">{t("signIn.badLink")}</p> : null}
        {isSecureContext ? null : <p class="notice">{t("signIn.insecure")}</p>}
        <TextField
          label={t("signIn.accessKeyId")}
          value={accessKeyId}
          onChange={setAccessKeyId}
          autocomplete="username"
          problem={wasSubmitted && accessKeyId.trim() === "" ? t("signIn.required") : undefined}
        />
        <TextField
          label={t("signIn.secret")}
          type="password"
          value={secretAccessKey}
          onChange={setSecret}
          autocomplete="current-password"
          problem={wasSubmitted && secretAccessKey.trim() === "" ? t("signIn.required") : undefined}
        />
        <TextField label={t("signIn.token")} value={sessionToken} onChange={setToken} hint={t("signIn.tokenHint")} />
        <CheckField
          label={t("signIn.remember")}
          hint={t("signIn.rememberHint")}
          isChecked={remember}
          onChange={setRemember}
        />
        {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={() => void submit()} />}
        <Button kind="primary" type="submit" isBusy={isBusy} isDisabled={!isSecureContext}>
          {isBusy ? t("signIn.busy") : t("signIn.submit")}
        </Button>
        <p class="hint">
          {t("signIn.endpoint")}: <code>{location.origin}</code>
        </p>
      </form>
      <Preferences />
    </main>
  );
}

// The fields for an access key or temporary credentials, with their hints and errors.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { CheckField, TextField } from "../../components/fields.tsx";
import { signIn } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";

export interface SignInForm {
  readonly submit: () => void;
  /** The fields and the button. */
  readonly content: ComponentChildren;
}

export function useSignInForm(): SignInForm {
  const [accessKeyId, setAccessKeyId] = useState("");
  const [secretAccessKey, setSecret] = useState("");
  const [sessionToken, setToken] = useState("");
  const [remember, setRemember] = useState(false);
  const [wasSubmitted, setSubmitted] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
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

  return {
    submit: () => void submit(),
    content: (
      <>
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
      </>
    ),
  };
}

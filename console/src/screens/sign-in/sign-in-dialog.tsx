// Asks for credentials again in a dialog, so that typed text, lists and uploads behind it are not lost.
import { Dialog } from "../../components/dialog.tsx";
import { cancelSignInAgain } from "../../data/session.ts";
import { t } from "../../i18n/language.ts";
import { useSignInForm } from "./sign-in-form.tsx";
import "./sign-in.css";

export function SignInDialog() {
  const { submit, content } = useSignInForm();
  return (
    <Dialog title={t("error.signInAgain")} onClose={cancelSignInAgain} onSubmit={submit}>
      <p class="notice">{t("signIn.expired")}</p>
      {content}
    </Dialog>
  );
}

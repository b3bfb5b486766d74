// Shows the sign-in form, or the shell with the current screen. A guest with an upload link needs no sign-in.
import { currentPlace } from "../data/router.ts";
import { currentSession, isSigningInAgain } from "../data/session.ts";
import { SignInDialog } from "../screens/sign-in/sign-in-dialog.tsx";
import { SignInScreen } from "../screens/sign-in/sign-in-screen.tsx";
import { CurrentScreen } from "./current-screen.tsx";
import { DropPage } from "./drop-page.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Shell } from "./shell.tsx";
import { Toasts } from "./toasts.tsx";

export function App() {
  if (currentPlace().steps[0] === "drop") return <DropPage />;
  const session = currentSession();
  return (
    <>
      {session === undefined ? (
        <SignInScreen />
      ) : (
        // Another principal starts with fresh screens.
        <Shell key={session.arn}>
          <ErrorBoundary>
            <CurrentScreen />
          </ErrorBoundary>
        </Shell>
      )}
      {session !== undefined && isSigningInAgain.value ? <SignInDialog /> : null}
      <Toasts />
    </>
  );
}

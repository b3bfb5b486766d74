// Shows the sign-in form, or the shell around the screen of the place. A guest with an upload link needs no sign-in.
import { currentPlace } from "../data/router.ts";
import { currentSession } from "../data/session.ts";
import { SignInScreen } from "../screens/sign-in/sign-in-screen.tsx";
import { CurrentScreen } from "./current-screen.tsx";
import { DropPage } from "./drop-page.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Shell } from "./shell.tsx";
import { Toasts } from "./toasts.tsx";

export function App() {
  if (currentPlace().steps[0] === "drop") return <DropPage />;
  const isSignedIn = currentSession() !== undefined;
  return (
    <>
      {isSignedIn ? (
        <Shell>
          <ErrorBoundary>
            <CurrentScreen />
          </ErrorBoundary>
        </Shell>
      ) : (
        <SignInScreen />
      )}
      <Toasts />
    </>
  );
}

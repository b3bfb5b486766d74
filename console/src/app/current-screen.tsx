// Loads and shows the screen of the current place. A skeleton appears if loading takes long.
import { useEffect, useState } from "preact/hooks";
import { LinkButton } from "../components/button.tsx";
import { ErrorPanel } from "../components/error-panel.tsx";
import { Page } from "../components/page.tsx";
import { EmptyState, Skeleton } from "../components/placeholders.tsx";
import { currentPlace, hrefOf, navigate } from "../data/router.ts";
import { t } from "../i18n/language.ts";
import { matchRoute, type Route, type Screen } from "./routes.ts";

/** Screens that are loaded already. */
const LOADED = new Map<Route, Screen>();

export function CurrentScreen() {
  const { steps, query } = currentPlace();
  const isStart = steps.length === 0;
  const match = matchRoute(steps);
  const route = match?.route;
  const [failure, setFailure] = useState<unknown>();
  const [, setLoaded] = useState<Route>();
  useEffect(() => {
    if (isStart) navigate(["buckets"], {}, { replace: true });
  }, [isStart]);
  useEffect(() => {
    if (route === undefined || LOADED.has(route)) return;
    setFailure(undefined);
    route.load().then(
      (screen) => {
        LOADED.set(route, screen);
        setLoaded(route);
      },
      (thrown: unknown) => setFailure(thrown),
    );
  }, [route]);

  if (isStart) return <Skeleton />;
  if (match === undefined || route === undefined) return <NoSuchPlace />;
  // After a new release, the server no longer has the files of an older page.
  if (failure !== undefined) return <ErrorPanel failure={failure} onRetry={() => location.reload()} />;
  const CurrentOne = LOADED.get(route);
  if (CurrentOne === undefined) return <Skeleton lines={6} />;
  return <CurrentOne key={JSON.stringify([route.path, match.params])} params={match.params} query={query} />;
}

function NoSuchPlace() {
  return (
    <Page title={t("notFound.title")}>
      <EmptyState
        title={t("notFound.title")}
        actions={<LinkButton href={hrefOf(["buckets"])}>{t("notFound.back")}</LinkButton>}
      >
        <p>{t("notFound.text")}</p>
      </EmptyState>
    </Page>
  );
}

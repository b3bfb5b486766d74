// The endpoint's health: bindings, schema, scheduled jobs, databases and settings, and the doctor's checks of proxies.
import { getHealth, type Health } from "../../clients/health.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Page } from "../../components/page.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { Progress } from "../../components/progress.tsx";
import { formatBytes, formatRelative } from "../../data/formats.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";
import { DoctorSection } from "./doctor-section.tsx";
import { JobsSection } from "./jobs-section.tsx";
import "./health.css";

/** As `npm run doctor` warns. */
const WARNING_SHARE = 0.8;

export function HealthScreen() {
  const connection = useConnection();
  const { value: health, failure, reload } = useLoad((signal) => getHealth(connection.endpoint, signal), []);
  return (
    <Page
      title={t("health.title")}
      actions={<Button icon="reload" label={t("action.reload")} kind="quiet" onClick={reload} />}
    >
      {failure === undefined ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {health === undefined ? failure === undefined && <Skeleton lines={5} /> : <HealthFacts health={health} />}
      <JobsSection />
      <DoctorSection />
    </Page>
  );
}

function HealthFacts({ health }: { readonly health: Health }) {
  const connection = useConnection();
  const { bindings, schema, lastScheduledAt, databases, databaseMaxBytes, misconfigured } = health;
  return (
    <section class="section">
      <h2>{t("health.endpoint")}</h2>
      <dl class="health-facts">
        <dt>{t("health.bindings")}</dt>
        <dd>
          {Object.entries(bindings).map(([name, isReached]) => (
            <Badge key={name} kind={isReached ? "good" : "danger"}>
              {t(isReached ? "health.reached" : "health.notReached", { name })}
            </Badge>
          ))}
        </dd>
        <dt>{t("health.schema")}</dt>
        <dd>{schema ?? "–"}</dd>
        <dt>{t("health.lastRun")}</dt>
        <dd>{lastScheduledAt === undefined ? t("unit.never") : formatRelative(lastScheduledAt, connection.now())}</dd>
        {databases.map(({ name, bytes = 0 }) => (
          <div key={name} class="health-database">
            <dt>{t("health.database", { name })}</dt>
            <dd>
              {databaseMaxBytes === undefined ? (
                formatBytes(bytes)
              ) : (
                <DatabaseSize name={name} bytes={bytes} maxBytes={databaseMaxBytes} />
              )}
            </dd>
          </div>
        ))}
        <dt>{t("health.settings")}</dt>
        <dd>
          {misconfigured.length === 0
            ? t("health.settingsGood")
            : t("health.settingsBad", { names: misconfigured.join(", ") })}
        </dd>
      </dl>
    </section>
  );
}

function DatabaseSize(props: { readonly name: string; readonly bytes: number; readonly maxBytes: number }) {
  const { name, bytes, maxBytes } = props;
  return (
    <>
      <Progress label={t("health.database", { name })} share={bytes / maxBytes} />
      {t("health.databaseSize", { size: formatBytes(bytes), limit: formatBytes(maxBytes) })}
      {bytes < maxBytes * WARNING_SHARE ? null : <p class="notice">{t("health.databaseFull")}</p>}
    </>
  );
}

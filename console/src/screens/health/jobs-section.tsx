// The state of the scheduled jobs, with one sentence for each that is late, failed or on hold.
import { ServiceError } from "../../clients/failures.ts";
import { type JobSchedule, listScheduledJobs, type ScheduledJob } from "../../clients/jobs.ts";
import { Badge, type BadgeKind } from "../../components/badge.tsx";
import { ErrorPanel } from "../../components/error-panel.tsx";
import { Skeleton } from "../../components/placeholders.tsx";
import { type Column, Table } from "../../components/table.tsx";
import { formatCount, formatRelative, formatTime } from "../../data/formats.ts";
import { countsText, isLate, jobTitle } from "../../data/job-health.ts";
import { useConnection } from "../../data/session.ts";
import { useLoad } from "../../data/use-load.ts";
import { t } from "../../i18n/language.ts";

/** The jobs with a sentence of their own. The others are only in the table. */
const SHOWN_FIRST = ["lifecycle", "collect-garbage", "scan-orphans", "scrub", "backup"];

export function JobsSection() {
  const connection = useConnection();
  const { value, failure, reload } = useLoad((signal) => listScheduledJobs(connection, signal), []);
  const isDenied = failure instanceof ServiceError && failure.code === "AccessDenied";
  return (
    <section class="section">
      <h2>{t("jobs.title")}</h2>
      {isDenied ? <p class="hint">{t("jobs.denied")}</p> : null}
      {failure === undefined || isDenied ? null : <ErrorPanel failure={failure} onRetry={reload} />}
      {value === undefined ? failure === undefined && <Skeleton lines={8} /> : <Jobs schedule={value} />}
    </section>
  );
}

function Jobs({ schedule: { jobs, hold } }: { readonly schedule: JobSchedule }) {
  const now = useConnection().now();
  const problems = jobs.flatMap((job) => problemsOf(job, now));
  return (
    <>
      {hold === undefined ? null : (
        <p class="notice" role="alert">
          {t("jobs.hold", { time: formatTime(hold.heldAt ?? NaN), reason: hold.reason })}
        </p>
      )}
      {problems.map((problem) => (
        <p key={problem} class="notice">
          {problem}
        </p>
      ))}
      {hold === undefined && problems.length === 0 ? <p>{t("jobs.good")}</p> : null}
      <dl class="health-facts">
        {SHOWN_FIRST.flatMap((name) => jobs.filter((job) => job.name === name)).map((job) => (
          <div key={job.name} class="health-database">
            <dt>{jobTitle(job.name)}</dt>
            <dd>
              {lastPassText(job, now)}
              {job.currentPass === undefined ? null : <p class="hint">{currentPassText(job, now)}</p>}
            </dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>{t("jobs.all")}</summary>
        <Table label={t("jobs.all")} columns={columnsAt(now)} rows={jobs} rowKey={({ name }) => name} />
      </details>
    </>
  );
}

function problemsOf(job: ScheduledJob, now: number): string[] {
  const { failure, nextDueAt, status, name, lastPass, currentPass } = job;
  const title = jobTitle(name);
  const found: string[] = [];
  if (status === "Failed" && failure !== undefined) {
    const time = failure.at === undefined ? "" : formatRelative(failure.at, now);
    found.push(t("jobs.failedAt", { job: title, time, message: failure.message }));
  }
  if (isLate(job, now) && nextDueAt !== undefined) {
    found.push(t("jobs.late", { job: title, time: formatRelative(nextDueAt, now) }));
  }
  if (name === "scrub") {
    const counts = [lastPass, currentPass].flatMap((pass) => pass?.counts ?? []);
    const findings = Math.max(0, ...counts.filter((count) => count.name === "findings").map(({ value }) => value));
    if (findings > 0) found.push(t("jobs.findings", { count: formatCount(findings) }));
  }
  return found;
}

function lastPassText({ status, lastPass, lastStepAt }: ScheduledJob, now: number): string {
  if (lastPass?.endedAt !== undefined) {
    const counts = countsText(lastPass.counts) ?? t("jobs.nothing");
    return t("jobs.ended", { time: formatRelative(lastPass.endedAt, now), counts });
  }
  if (status === "Disabled") return t("jobs.off");
  return lastStepAt === undefined ? t("jobs.neverRan") : "–";
}

function currentPassText({ currentPass }: ScheduledJob, now: number): string {
  const counts = countsText(currentPass?.counts ?? []) ?? t("jobs.started");
  return t("jobs.inProgress", { time: formatRelative(currentPass?.startedAt ?? now, now), counts });
}

function columnsAt(now: number): readonly Column<ScheduledJob>[] {
  return [
    { id: "job", title: t("jobs.job"), isHeader: true, cell: ({ name }) => jobTitle(name) },
    { id: "status", title: t("jobs.status"), cell: (job) => <JobBadge job={job} now={now} /> },
    {
      id: "lastRun",
      title: t("jobs.lastRun"),
      cell: ({ lastStepAt }) => (lastStepAt === undefined ? t("unit.never") : formatRelative(lastStepAt, now)),
    },
    { id: "nextDue", title: t("jobs.nextDue"), cell: (job) => nextRunText(job, now) },
    { id: "did", title: t("jobs.did"), cell: (job) => lastPassText(job, now) },
  ];
}

const KINDS: Readonly<Record<ScheduledJob["status"], BadgeKind>> = {
  Idle: "good",
  InProgress: "good",
  Failed: "danger",
  Held: "warning",
  Disabled: "neutral",
};

function JobBadge({ job, now }: { readonly job: ScheduledJob; readonly now: number }) {
  if (isLate(job, now) && job.status !== "Failed") return <Badge kind="warning">{t("jobs.status.Late")}</Badge>;
  return <Badge kind={KINDS[job.status]}>{t(`jobs.status.${job.status}`)}</Badge>;
}

function nextRunText({ status, nextDueAt, lastStepAt }: ScheduledJob, now: number): string {
  if (status === "Disabled" || status === "Held") return "–";
  if (nextDueAt === undefined) return lastStepAt === undefined ? t("jobs.soon") : "–";
  return nextDueAt <= now ? t("jobs.soon") : formatRelative(nextDueAt, now);
}

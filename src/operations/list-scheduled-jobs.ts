// ListScheduledJobs, an operation of Cairn's own (docs/observability.md), reports what each scheduled job last did and when
// it runs next, the hold on deletions, and the size of each database. It reads one row for each job.
import { element, optionalElement, type XmlElement } from "../bytes/xml.ts";
import type { Settings } from "../config/settings.ts";
import { JOB_SCHEDULE, nextDueAt, ONCE, type JobPlan } from "../contract/job-schedule.ts";
import { defineServiceOperation } from "../contract/operation.ts";
import { S3_NAMESPACE } from "../protocol/core/s3-error.ts";
import { lookUpBoth, type Database } from "../state/d1/database.ts";
import type { Databases } from "../state/d1/databases.ts";
import { lookUpJobStates, type JobReport, type JobState } from "../state/metadata/job-states.ts";
import { lookUpHold, type DeletionHold } from "../state/repair/deletion-hold.ts";
import { DATABASE_MAX_BYTES } from "../state/d1/size-limit.ts";
import { lookUpHealth, type DatabaseHealth } from "../state/repair/health.ts";

type JobStatus = "Disabled" | "Failed" | "Held" | "Idle" | "InProgress";

interface ScheduleReport {
  readonly jobs: readonly JobEntry[];
  /** Undefined if it was lifted. */
  readonly hold: DeletionHold | undefined;
  readonly databases: readonly DatabaseEntry[];
}

interface JobEntry {
  readonly name: string;
  readonly status: JobStatus;
  /** Undefined: the settings disable the job. */
  readonly periodMs: number | undefined;
  readonly state: JobState | undefined;
}

interface DatabaseEntry {
  readonly name: string;
  /** Undefined if it does not answer. */
  readonly health: DatabaseHealth | undefined;
}

export const listScheduledJobs = defineServiceOperation({
  name: "ListScheduledJobs",
  actions: ["s3:ListScheduledJobs"],
  route: { method: "GET", level: "service", query: ["jobs"] },
  read: () => ({}),

  async run({ databases, settings }): Promise<ScheduleReport> {
    const [facts, ...others] = await Promise.all([
      databases.first.look(lookUpSchedule()),
      ...databases.all.slice(1).map(readHealth),
    ]);
    const hold = facts.hold?.isLifted === false ? facts.hold : undefined;
    return {
      jobs: plansOf(databases).map((plan) => entryOf(plan, facts.states.get(plan.name), hold, settings)),
      hold,
      databases: [{ name: databases.first.name, health: facts }, ...others],
    };
  },

  write: ({ jobs, hold, databases }) => ({
    status: 200,
    headers: {},
    body: element(
      "ListScheduledJobsResult",
      [
        ...(hold === undefined
          ? []
          : [element("DeletionHold", [element("Reason", hold.reason), element("HeldAt", timeOf(hold.heldAt))])]),
        ...jobs.map(jobElement),
        ...databases.map(databaseElement),
      ],
      { xmlns: S3_NAMESPACE },
    ),
  }),
});

/** The health of the first database, with the hold and the jobs, in one round trip. */
function lookUpSchedule() {
  const states = lookUpJobStates();
  const jobs = { ...states, read: (results: Parameters<typeof states.read>[0]) => ({ states: states.read(results) }) };
  return lookUpBoth(lookUpBoth(lookUpHealth(), lookUpHold()), jobs);
}

async function readHealth(database: Database): Promise<DatabaseEntry> {
  return { name: database.name, health: await database.look(lookUpHealth()).catch(() => undefined) };
}

function plansOf({ areSeveral }: Databases): readonly JobPlan[] {
  const plans: readonly JobPlan[] = JOB_SCHEDULE;
  return plans.filter(({ needsSeveralDatabases }) => areSeveral || needsSeveralDatabases !== true);
}

function entryOf(
  { name, periodMs: periodUnder, isDeleting }: JobPlan,
  state: JobState | undefined,
  hold: DeletionHold | undefined,
  settings: Settings,
): JobEntry {
  const periodMs = periodUnder(settings);
  const isHeld = hold !== undefined && isDeleting === true;
  return { name, periodMs, state, status: statusOf(periodMs, isHeld, state) };
}

function statusOf(periodMs: number | undefined, isHeld: boolean, state: JobState | undefined): JobStatus {
  if (periodMs === undefined) return "Disabled";
  if (isHeld) return "Held";
  if (state?.failure !== undefined) return "Failed";
  return state?.hasOpenPass === true ? "InProgress" : "Idle";
}

function jobElement({ name, status, periodMs, state }: JobEntry): XmlElement {
  const { passBeganAt = 0, steppedAt = 0, hasOpenPass = false, failure, completedPass } = state ?? {};
  return element("Job", [
    element("Name", name),
    element("Status", status),
    optionalElement("PeriodSeconds", periodMs === undefined || periodMs === ONCE ? undefined : periodMs / 1000),
    optionalElement("LastStarted", passBeganAt === 0 ? undefined : timeOf(passBeganAt)),
    optionalElement("LastStep", steppedAt === 0 ? undefined : timeOf(steppedAt)),
    optionalElement("NextDue", nextDueOf(periodMs, state)),
    ...(failure === undefined
      ? []
      : [element("Failure", [element("FailedAt", timeOf(failure.failedAt)), element("Message", failure.message)])]),
    ...(hasOpenPass && state !== undefined
      ? [element("CurrentPass", [element("Started", timeOf(passBeganAt)), ...countsOf(state.report)])]
      : []),
    ...(completedPass === undefined
      ? []
      : [
          element("LastPass", [
            element("Started", timeOf(completedPass.beganAt)),
            element("Ended", timeOf(completedPass.endedAt)),
            ...countsOf(completedPass.report),
          ]),
        ]),
  ]);
}

/** A job that the next tick runs has been due since its last step. */
function nextDueOf(periodMs: number | undefined, state: JobState | undefined): string | undefined {
  if (periodMs === undefined || state === undefined) return undefined;
  const dueAt = nextDueAt(periodMs, state) || state.steppedAt;
  return dueAt === 0 || dueAt === ONCE ? undefined : timeOf(dueAt);
}

function countsOf(report: JobReport): XmlElement[] {
  return Object.entries(report).map(([name, value]) =>
    element("Count", [element("Name", name), element("Value", value)]),
  );
}

function databaseElement({ name, health }: DatabaseEntry): XmlElement {
  return element("Database", [
    element("Name", name),
    optionalElement("Bytes", health?.databaseBytes),
    element("MaxBytes", DATABASE_MAX_BYTES),
    optionalElement("Schema", health?.migration),
  ]);
}

function timeOf(time: number): string {
  return new Date(time).toISOString();
}

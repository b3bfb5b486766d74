// The jobs table: the progress of each scheduled job, and its lease, which prevents two ticks from running the same
// job.
import { rowsOf, statement, type Lookup, type Statement } from "../d1/database.ts";

/** A job's progress. */
export interface JobState {
  /** Whether a pass is in progress. */
  readonly hasOpenPass: boolean;
  /** Where the pass resumes; null: at its start. */
  readonly cursor: string | null;
  /** When the latest pass began, in milliseconds since the epoch. */
  readonly passBeganAt: number;
  /** When the latest step ended or failed, in milliseconds since the epoch. */
  readonly steppedAt: number;
  /** The totals of the latest pass's reports so far. */
  readonly report: JobReport;
  /** The last pass that is complete; undefined: none is known. */
  readonly completedPass: CompletedPass | undefined;
  /** Why the latest step failed; undefined: it did not. */
  readonly failure: JobFailure | undefined;
}

/** Totals by name. */
export type JobReport = Readonly<Record<string, number>>;

/** A pass from its beginning to its end, in milliseconds since the epoch, and the totals of its reports. */
export interface CompletedPass {
  readonly beganAt: number;
  readonly endedAt: number;
  readonly report: JobReport;
}

export interface JobFailure {
  /** In milliseconds since the epoch. */
  readonly failedAt: number;
  readonly message: string;
}

interface JobRow {
  readonly name: string;
  readonly is_passing: number;
  readonly cursor: string | null;
  readonly pass_began_at: number;
  readonly stepped_at: number;
  readonly report: string;
  readonly completed_began_at: number | null;
  readonly completed_at: number | null;
  readonly completed_report: string | null;
  readonly failed_at: number | null;
  readonly failure: string | null;
}

const COLUMNS = `name, is_passing, cursor, pass_began_at, stepped_at, report,
  completed_began_at, completed_at, completed_report, failed_at, failure`;

/** The longest stored message of a failure, in UTF-16 units. The log has the whole one. */
const MESSAGE_MAX_LENGTH = 500;

function stateFromRow(row: JobRow): JobState {
  const { completed_began_at: beganAt, completed_at: endedAt, completed_report: report, failed_at: failedAt } = row;
  return {
    hasOpenPass: row.is_passing === 1,
    cursor: row.cursor,
    passBeganAt: row.pass_began_at,
    steppedAt: row.stepped_at,
    report: reportFromText(row.report),
    completedPass:
      beganAt === null || endedAt === null || report === null
        ? undefined
        : { beganAt, endedAt, report: reportFromText(report) },
    // A release that does not know the column leaves a failure in it when it takes further steps.
    failure: failedAt === null || failedAt < row.stepped_at ? undefined : { failedAt, message: row.failure ?? "" },
  };
}

function reportFromText(text: string): JobReport {
  // saveStep writes this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(text) as JobReport;
}

/** Looks up the progress of all jobs that have ever run, by name. */
export function lookUpJobStates(): Lookup<ReadonlyMap<string, JobState>> {
  return {
    statements: [statement(`SELECT ${COLUMNS} FROM jobs`)],
    read: (results) => new Map(rowsOf<JobRow>(results).map((row) => [row.name, stateFromRow(row)])),
  };
}

/** A job's lease: until it ends, only its holder runs the job. */
export interface JobLease {
  readonly name: string;
  /** Unique to this tick. */
  readonly holder: string;
  /** The wall clock's time now and at the lease's end, in milliseconds since the epoch. */
  readonly clock: number;
  readonly until: number;
}

/**
 * Takes a job's lease unless another tick has it. Returns the job's progress; undefined: another tick has the lease.
 */
export function takeLease({ name, holder, clock, until }: JobLease): Lookup<JobState | undefined> {
  return {
    statements: [
      statement(
        `INSERT INTO jobs (name, is_passing, pass_began_at, stepped_at, lease_holder, lease_until)
         VALUES (?1, 0, 0, 0, ?2, ?3)
         ON CONFLICT DO UPDATE SET lease_holder = ?2, lease_until = ?3 WHERE lease_holder IS NULL OR lease_until < ?4
         RETURNING ${COLUMNS}`,
        name,
        holder,
        until,
        clock,
      ),
    ],
    read: (results) => rowsOf<JobRow>(results).map(stateFromRow)[0],
  };
}

/** Saves a job's progress and extends its lease. Changes one row, or none if another tick has taken the lease. */
export function saveStep({ name, holder, until }: JobLease, state: JobState): Statement {
  const { completedPass } = state;
  return statement(
    `UPDATE jobs SET is_passing = ?3, cursor = ?4, pass_began_at = ?5, stepped_at = ?6, report = ?7, lease_until = ?8,
       completed_began_at = ?9, completed_at = ?10, completed_report = ?11, failed_at = NULL, failure = NULL
     WHERE name = ?1 AND lease_holder = ?2`,
    name,
    holder,
    state.hasOpenPass ? 1 : 0,
    state.cursor,
    state.passBeganAt,
    state.steppedAt,
    JSON.stringify(state.report),
    until,
    completedPass?.beganAt ?? null,
    completedPass?.endedAt ?? null,
    completedPass === undefined ? null : JSON.stringify(completedPass.report),
  );
}

/** Records a failed step without changing the job's progress. */
export function saveFailure({ name, holder, clock }: JobLease, message: string): Statement {
  return statement(
    `UPDATE jobs SET stepped_at = ?1, failed_at = ?1, failure = ?4 WHERE name = ?2 AND lease_holder = ?3`,
    clock,
    name,
    holder,
    message.slice(0, MESSAGE_MAX_LENGTH),
  );
}

/** Releases all leases of a holder. */
export function releaseLeases(holder: string): Statement {
  return statement(`UPDATE jobs SET lease_holder = NULL WHERE lease_holder = ?`, holder);
}

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
  readonly report: Readonly<Record<string, number>>;
}

interface JobRow {
  readonly name: string;
  readonly is_passing: number;
  readonly cursor: string | null;
  readonly pass_began_at: number;
  readonly stepped_at: number;
  readonly report: string;
}

const COLUMNS = "name, is_passing, cursor, pass_began_at, stepped_at, report";

function stateFromRow(row: JobRow): JobState {
  return {
    hasOpenPass: row.is_passing === 1,
    cursor: row.cursor,
    passBeganAt: row.pass_began_at,
    steppedAt: row.stepped_at,
    // saveStep writes this form.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    report: JSON.parse(row.report) as Readonly<Record<string, number>>,
  };
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
  return statement(
    `UPDATE jobs SET is_passing = ?3, cursor = ?4, pass_began_at = ?5, stepped_at = ?6, report = ?7, lease_until = ?8
     WHERE name = ?1 AND lease_holder = ?2`,
    name,
    holder,
    state.hasOpenPass ? 1 : 0,
    state.cursor,
    state.passBeganAt,
    state.steppedAt,
    JSON.stringify(state.report),
    until,
  );
}

/** Records a failed step without changing the job's progress. */
export function saveFailure({ name, holder, clock }: JobLease): Statement {
  return statement(`UPDATE jobs SET stepped_at = ? WHERE name = ? AND lease_holder = ?`, clock, name, holder);
}

/** Releases all leases of a holder. */
export function releaseLeases(holder: string): Statement {
  return statement(`UPDATE jobs SET lease_holder = NULL WHERE lease_holder = ?`, holder);
}

// Declares scheduled jobs. A pass is one complete run through a job's work. It consists of steps of one bounded page
// each; D1 stores the cursor between steps, so a pass survives the end of its tick.
import type { Settings } from "../config/settings.ts";
import type { JobPlan } from "../contract/job-schedule.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import type { Database } from "../state/d1/database.ts";
import type { Databases } from "../state/d1/databases.ts";

/** The remaining budget of a tick. */
export interface Budget {
  /** The remaining calls of D1, coordinators and blob store. D1's queries have their own limit in addition. */
  callsLeft(): number;
  /** Whether nothing is left. A step may then end early with a cursor, and a later tick resumes it. */
  isSpent(): boolean;
}

/** The context of a step. */
export interface JobContext {
  /** The first database; the one that a step works on for a job that works on one after the other. */
  readonly database: Database;
  readonly databases: Databases;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  readonly settings: Settings;
  /** The Worker's environment, for the bindings of queues. */
  readonly env: object;
  /** The current time for all decisions, in milliseconds since the epoch: the tick's scheduled time. */
  readonly now: number;
  readonly budget: Budget;
}

/** The result of a step. */
export interface JobStep {
  /** The next step's cursor; null when the pass is complete. */
  readonly cursor: string | null;
  /** Whether the pass continues only in the next tick. */
  readonly endsTick?: boolean;
  /** Counts for the log, summed over the pass. */
  readonly report: Readonly<Record<string, number>>;
}

/** Scheduled work. A step must be repeatable from the same cursor after some or all of its work is done. */
export interface Job {
  /** The name of its row in D1 and of its log lines. */
  readonly name: string;
  step(context: JobContext, cursor: string | null): Promise<JobStep>;
}

/** A job and when its passes start. */
export interface ScheduledJob extends Pick<JobPlan, "periodMs"> {
  readonly job: Job;
}

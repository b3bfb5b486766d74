// What a scheduled job is. A pass is a sequence of steps, each of which does one bounded page of work and says where the
// next one goes on; between two steps the cursor is in D1, so a pass survives whatever ends its tick.
import type { Settings } from "../config/settings.ts";
import type { BlobStore } from "../state/blobs/blob-store.ts";
import type { Coordinators } from "../state/writes/coordinators.ts";
import type { Database } from "../state/d1/database.ts";

/** What a tick of the schedule may still cost. */
export interface Budget {
  /** How many more calls of D1, coordinators and blob store the tick has; a step that needs fewer is best. D1's queries are
   * limited on their own as well. */
  callsLeft(): number;
  /** Whether nothing is left: a step may end early, with a cursor, and is gone on with in a later tick. */
  isSpent(): boolean;
}

/** What a step is given. */
export interface JobContext {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly coordinators: Coordinators;
  readonly settings: Settings;
  /** The time to judge by, in milliseconds since the epoch: that for which the tick was scheduled. */
  readonly now: number;
  readonly budget: Budget;
}

/** What a step has done. */
export interface JobStep {
  /** Where the next step goes on; null where the pass is over. */
  readonly cursor: string | null;
  /** Whether the pass goes on in the next tick and not in this one. */
  readonly isTickOver?: boolean;
  /** Numbers for the log, which are summed up over the pass. */
  readonly report: Readonly<Record<string, number>>;
}

/** Scheduled work. A step may be repeated, from the same cursor, after it has done some or all of its work. */
export interface Job {
  /** Under which its state is kept and its log lines are found. */
  readonly name: string;
  step(context: JobContext, cursor: string | null): Promise<JobStep>;
}

/** A job and when it has its passes. */
export interface ScheduledJob {
  readonly job: Job;
  /**
   * In each period of so many milliseconds, counted from the epoch, one pass begins: with a day, at 00:00 UTC. 0: as soon
   * as the one before is over, and once in a tick. Undefined: the job is switched off, and a pass under way stands still.
   */
  readonly periodMs: (settings: Settings) => number | undefined;
  /** Whether one of its steps may need more processor time than the platform gives ticks that are less than an hour apart. */
  readonly isLong?: boolean;
}

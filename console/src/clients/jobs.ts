// Reads the state of the scheduled jobs: ListScheduledJobs, which needs s3:ListScheduledJobs.
import { getXml } from "./buckets.ts";
import type { Connection } from "./connection.ts";
import { childOf, childrenOf, numberOf, optionalText, textOf } from "./xml.ts";

export type JobStatus = "Disabled" | "Failed" | "Held" | "Idle" | "InProgress";

export interface ScheduledJob {
  readonly name: string;
  readonly status: JobStatus;
  /** All times are in ms; undefined: never. */
  readonly lastStepAt: number | undefined;
  /** Undefined if it will not run again, or never ran. */
  readonly nextDueAt: number | undefined;
  readonly failure: { readonly at: number | undefined; readonly message: string } | undefined;
  /** A pass that continues in a later run. */
  readonly currentPass: JobPass | undefined;
  /** The last complete pass. */
  readonly lastPass: JobPass | undefined;
}

export interface JobPass {
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly counts: readonly JobCount[];
}

export interface JobCount {
  readonly name: string;
  readonly value: number;
}

export interface JobSchedule {
  readonly jobs: readonly ScheduledJob[];
  readonly hold: { readonly reason: string; readonly heldAt: number | undefined } | undefined;
}

/** @throws ServiceError AccessDenied without the permission */
export async function listScheduledJobs(connection: Connection, signal?: AbortSignal): Promise<JobSchedule> {
  const root = await getXml(connection, "/", { jobs: "" }, signal);
  const hold = childOf(root, "DeletionHold");
  return {
    jobs: childrenOf(root, "Job").map(jobIn),
    hold: hold === undefined ? undefined : { reason: textOf(hold, "Reason"), heldAt: timeIn(hold, "HeldAt") },
  };
}

function jobIn(job: Element): ScheduledJob {
  const failure = childOf(job, "Failure");
  return {
    name: textOf(job, "Name"),
    status: statusIn(textOf(job, "Status")),
    lastStepAt: timeIn(job, "LastStep"),
    nextDueAt: timeIn(job, "NextDue"),
    failure: failure && { at: timeIn(failure, "FailedAt"), message: textOf(failure, "Message") },
    currentPass: passIn(job, "CurrentPass"),
    lastPass: passIn(job, "LastPass"),
  };
}

function statusIn(text: string): JobStatus {
  return text === "Disabled" || text === "Failed" || text === "Held" || text === "InProgress" ? text : "Idle";
}

function passIn(job: Element, name: string): JobPass | undefined {
  const pass = childOf(job, name);
  if (pass === undefined) return undefined;
  const counts = childrenOf(pass, "Count").map((count) => ({
    name: textOf(count, "Name"),
    value: numberOf(count, "Value"),
  }));
  return { startedAt: timeIn(pass, "Started"), endedAt: timeIn(pass, "Ended"), counts };
}

function timeIn(parent: Element, name: string): number | undefined {
  const text = optionalText(parent, name);
  return text === undefined ? undefined : Date.parse(text);
}

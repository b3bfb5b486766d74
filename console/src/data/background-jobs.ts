// Background jobs of this page. Unfinished jobs are stored by name, without secrets, so that the next visit can offer to
// resume them.
import { signal } from "@preact/signals";

export interface Job {
  readonly id: string;
  /** A function, so that the text follows the language. */
  readonly title: () => string;
  readonly progress: () => string;
  /** From 0 to 1; undefined while the total is unknown. */
  readonly share: number | undefined;
  readonly stop: () => void;
}

/** A job that an earlier visit left unfinished. */
export interface UnfinishedJob {
  readonly kind: string;
  readonly target: string;
}

const STORAGE_KEY = "cairn.unfinished";

export const jobs = signal<readonly Job[]>([]);
export const unfinishedJobs = signal<readonly UnfinishedJob[]>([]);

/** Reads the unfinished jobs of earlier visits. */
export function recallUnfinished(): void {
  unfinishedJobs.value = readUnfinished();
}

const INTERRUPTED = "interrupted";
const running = new Set<AbortController>();

/** Stops all jobs; the next session can resume them. */
export function interruptJobs(): void {
  for (const controller of running) controller.abort(INTERRUPTED);
}

export interface JobControl {
  readonly signal: AbortSignal;
  readonly report: (progress: () => string, share?: number) => void;
}

export interface JobPlan extends UnfinishedJob {
  /** Whether the next visit can resume it. */
  readonly isResumable?: boolean;
  readonly title: () => string;
  readonly run: (control: JobControl) => Promise<void>;
}

/** Starts a job, unless one of the same kind and target runs. It is remembered until it succeeds or is stopped. */
export async function runJob({ kind, target, isResumable = true, title, run }: JobPlan): Promise<void> {
  const id = `${kind} ${target}`;
  if (jobs.value.some((job) => job.id === id)) return;
  const controller = new AbortController();
  running.add(controller);
  const show = (progress: () => string, share?: number): void => {
    const job = { id, title, progress, share, stop: () => controller.abort() };
    jobs.value = [...jobs.value.filter((other) => other.id !== id), job];
  };
  show(() => "");
  if (isResumable) remember([...readUnfinished().filter((job) => !isSame(job, { kind, target })), { kind, target }]);
  clearOffer({ kind, target });
  try {
    await run({ signal: controller.signal, report: show });
    dropUnfinished({ kind, target });
  } catch (failure) {
    if (controller.signal.aborted && controller.signal.reason !== INTERRUPTED) {
      dropUnfinished({ kind, target });
      return;
    }
    recallUnfinished();
    if (!controller.signal.aborted) throw failure;
  } finally {
    running.delete(controller);
    jobs.value = jobs.value.filter((job) => job.id !== id);
  }
}

/** Clears a job that shall not be resumed. */
export function dropUnfinished(dropped: UnfinishedJob): void {
  remember(readUnfinished().filter((job) => !isSame(job, dropped)));
  clearOffer(dropped);
}

function clearOffer(dropped: UnfinishedJob): void {
  unfinishedJobs.value = unfinishedJobs.value.filter((job) => !isSame(job, dropped));
}

function isSame(one: UnfinishedJob, other: UnfinishedJob): boolean {
  return one.kind === other.kind && one.target === other.target;
}

function remember(list: readonly UnfinishedJob[]): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(list));
}

function readUnfinished(): UnfinishedJob[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    if (!Array.isArray(value)) return [];
    return value.flatMap((entry: unknown) => {
      const [kind, target] = [Reflect.get(Object(entry), "kind"), Reflect.get(Object(entry), "target")];
      return typeof kind === "string" && typeof target === "string" ? [{ kind, target }] : [];
    });
  } catch {
    return [];
  }
}

/** Asks before the page closes while jobs run. */
export function guardJobs(): void {
  addEventListener("beforeunload", (event) => {
    if (jobs.value.length > 0) event.preventDefault();
  });
}

// Runs one scheduled job outside its schedule: a whole pass, at a time that the test selects.
import { env } from "cloudflare:workers";

import { readSettings } from "../../src/config/settings.ts";
import { connect } from "../../src/contract/connections.ts";
import type { Job, JobContext } from "../../src/jobs/job.ts";
import { Counts, type CountSnapshot } from "../../src/state/d1/counts.ts";
import type { RequestScope } from "./client.ts";

/** The result of a pass. */
export interface Pass {
  readonly steps: number;
  /** The sums of the reports of its steps. */
  readonly report: Readonly<Record<string, number>>;
  readonly counts: CountSnapshot;
}

/** The context of a step. */
export function jobContext(now: number, scope: RequestScope = {}, counts = new Counts()): JobContext {
  const bindings = { ...env, ...scope };
  const settings = readSettings(bindings);
  return {
    ...connect(bindings, settings, counts),
    settings,
    env: bindings,
    now,
    budget: { callsLeft: () => settings.jobCallsPerTick, isSpent: () => false },
  };
}

/** Runs a pass from its beginning to its end. */
export async function runPass(job: Job, now: number, scope: RequestScope = {}): Promise<Pass> {
  const counts = new Counts();
  const context = jobContext(now, scope, counts);
  const report: Record<string, number> = {};
  let cursor: string | null = null;
  let steps = 0;
  do {
    const step = await job.step(context, cursor);
    for (const [name, value] of Object.entries(step.report)) report[name] = (report[name] ?? 0) + value;
    ({ cursor } = step);
    steps += 1;
  } while (cursor !== null);
  return { steps, report, counts: counts.snapshot() };
}

/** The lines that a job has logged, from the calls of a spied console. */
export function logLines(name: string, calls: readonly (readonly unknown[])[]): Record<string, unknown>[] {
  // What the runner writes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>).filter(({ job }) => job === name);
}

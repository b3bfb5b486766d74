// Measures a workload on all targets in interleaved rounds, so that other load affects all of them.
import { newRound, type Round, runOperations, type Workload } from "./round.ts";
import type { Target } from "./target.ts";
import { pathOf } from "./workloads.ts";

/** What one round of one target measured. */
export interface Sample {
  readonly perSecond: number;
  /** Median time of an operation. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for each operation; undefined if its process is not known. */
  readonly cpuMs: number | undefined;
}

/** What all rounds of a workload measured, at one concurrency. Samples are in the order of the rounds. */
export interface Measurement {
  readonly id: string;
  readonly title: string;
  readonly at: number;
  readonly bytes: number | undefined;
  /** By name of target; a target that does not support the workload is missing. */
  readonly samples: Readonly<Record<string, readonly Sample[]>>;
  /** Why a target is missing, by name. */
  readonly unsupported: Readonly<Record<string, string>>;
}

const WARM_UP_SHARE = 4;

/**
 * Measures a workload.
 * @param required targets that must support it
 * @param scale of the number of operations in a round
 */
export async function measure(
  workload: Workload,
  at: number,
  targets: readonly Target[],
  { rounds, scale, required }: { rounds: number; scale: number; required: ReadonlySet<string> },
): Promise<Measurement> {
  const [alone, together] = workload.counts;
  const count = Math.max(Math.ceil((at === 1 ? alone : together) * scale), at);
  const samples: Record<string, Sample[]> = {};
  const unsupported: Record<string, string> = {};
  /** Runs a step of a target. A peer that fails is left out, because its failures are not those of Cairn. */
  const attempt = async ({ name }: Target, step: () => Promise<void>): Promise<void> => {
    if (name in unsupported) return;
    try {
      await step();
    } catch (error) {
      if (required.has(name)) throw error;
      unsupported[name] = error instanceof Error ? error.message : String(error);
      delete samples[name];
    }
  };
  for (const target of targets) {
    await attempt(target, async () => {
      if ((workload.listedKeys ?? 0) > target.maxListedKeys)
        throw new Error("its bucket is not filled with as many keys");
      const round = newRound(target, Math.max(Math.ceil(count / WARM_UP_SHARE), at), at);
      await sample(workload, round);
      if (!required.has(target.name)) await checkResult(workload, round);
      samples[target.name] = [];
    });
  }
  for (let round = 0; round < rounds; round += 1) {
    // Another target is first in each round.
    const first = round % targets.length;
    for (const target of [...targets.slice(first), ...targets.slice(0, first)]) {
      await attempt(target, async () => {
        samples[target.name]?.push(await sample(workload, newRound(target, count, at)));
      });
    }
  }
  return { id: workload.id, title: workload.title, at, bytes: workload.bytes, samples, unsupported };
}

/** Rejects if a server answered 200 to a request that it does not support. */
async function checkResult({ leavesBytes }: Workload, round: Round): Promise<void> {
  if (leavesBytes === undefined) return;
  const { bytes } = await round.target.send({ method: "GET", path: pathOf(round, 0) });
  if (bytes !== leavesBytes) throw new Error(`the first object has ${bytes} bytes instead of ${leavesBytes}`);
}

async function sample(workload: Workload, round: Round): Promise<Sample> {
  const { target, at } = round;
  const operations = await workload.prepare(round);
  const connections = await target.connect(at);
  try {
    const cpuBefore = target.cpuMs();
    const start = performance.now();
    const times = (await runOperations(connections, operations)).sort((a, b) => a - b);
    const ms = performance.now() - start;
    const cpuAfter = target.cpuMs();
    return {
      perSecond: (operations.length * 1000) / ms,
      p50Ms: times[Math.floor(times.length / 2)] ?? Number.NaN,
      p99Ms: times[Math.floor(times.length * 0.99)] ?? Number.NaN,
      cpuMs: cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / operations.length,
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}

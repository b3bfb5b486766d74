// Medians, ratios and spreads of what `npm run bench` measured.
import type { Measurement, Sample } from "./measure.ts";

/** The median of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The medians of a target's rounds. */
export function medianSample(samples: readonly Sample[]): Sample {
  const cpus = samples.flatMap(({ cpuMs }) => (cpuMs === undefined ? [] : [cpuMs]));
  return {
    perSecond: median(samples.map(({ perSecond }) => perSecond)),
    p50Ms: median(samples.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    cpuMs: cpus.length === 0 ? undefined : median(cpus),
  };
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** How many times as much the first target does in a second as the second one, round by round. */
export function ratioOf({ samples }: Measurement, name: string, other: string): Ratio | undefined {
  const others = samples[other];
  const ratios = (samples[name] ?? []).flatMap(({ perSecond }, round) => {
    const base = others?.[round]?.perSecond;
    return base === undefined ? [] : [perSecond / base];
  });
  if (ratios.length === 0) return undefined;
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) };
}

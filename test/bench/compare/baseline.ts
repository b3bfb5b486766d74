// Compares the ratios of a quick run with committed ones. A ratio depends on the machine far less than a time does.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Measurement } from "./measure.ts";
import { ratioOf } from "./statistics.ts";

const FILE = join(import.meta.dirname, "baseline.json");

/** A ratio may fall to this share of its committed value. */
const LEAST_SHARE = 0.75;

export interface Fall {
  readonly name: string;
  readonly ratio: number;
  readonly least: number;
}

/** The name of a measurement in the baseline. */
export function baselineName({ id, at }: Measurement): string {
  return `${id}@${at}`;
}

/** The committed ratios of Cairn to the bare Worker, by name. */
export function readBaseline(): ReadonlyMap<string, number> {
  const stored: unknown = JSON.parse(readFileSync(FILE, "utf8"));
  return new Map(Object.entries(stored ?? {}).map(([name, ratio]) => [name, Number(ratio)]));
}

export function writeBaseline(measurements: readonly Measurement[]): void {
  const ratios = measurements.map((measured) => [
    baselineName(measured),
    round(ratioOf(measured, "Cairn", "bare")?.median),
  ]);
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(ratios), undefined, 2)}\n`);
}

/** Returns the fall of a ratio by more than a quarter, if it fell. */
export function fallOf(measured: Measurement, baseline: ReadonlyMap<string, number>): Fall | undefined {
  const name = baselineName(measured);
  const ratio = ratioOf(measured, "Cairn", "bare")?.median ?? Number.NaN;
  const least = (baseline.get(name) ?? Number.NaN) * LEAST_SHARE;
  // A measurement without a committed ratio, or without a ratio, fails too.
  return ratio >= least ? undefined : { name, ratio, least };
}

function round(ratio = Number.NaN): number {
  return Math.round(ratio * 100) / 100;
}

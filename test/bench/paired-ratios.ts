// Statistics of ratios that were measured in pairs: the median, how exact it is, and the spread. None of them assumes a
// distribution, because a shared machine produces outliers.
import { median } from "./compare/statistics.ts";

const MIN_ROUNDS = 100;
/** Standard deviations that contain 95 % of a normal distribution. */
const Z_95 = 1.96;

export interface PairedRatios {
  readonly count: number;
  readonly median: number;
  /** Contains the true median with a probability of 95 %. */
  readonly interval: readonly [low: number, high: number];
  /** Contains the middle half of the ratios. */
  readonly quartiles: readonly [low: number, high: number];
}

export function pairedRatios(ratios: readonly number[]): PairedRatios {
  const sorted = ratios.toSorted((a, b) => a - b);
  const count = sorted.length;
  const at = (rank: number): number => sorted[Math.min(count - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  // The number of ratios below the true median has a binomial distribution with p = 1/2.
  const margin = (Z_95 * Math.sqrt(count)) / 2;
  return {
    count,
    median: median(sorted),
    interval: [at(count / 2 - margin - 0.5), at(count / 2 + margin - 0.5)],
    quartiles: [at((count - 1) / 4), at(((count - 1) * 3) / 4)],
  };
}

/** Whether the median is known to within `margin` on both sides. */
export function isExact(ratios: readonly number[], margin: number): boolean {
  if (ratios.length < MIN_ROUNDS) return false;
  const {
    interval: [low, high],
  } = pairedRatios(ratios);
  return high - low <= 2 * margin;
}

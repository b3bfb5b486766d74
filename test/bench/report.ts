// Turns measured latencies into the table that `npm run bench` prints.
import type { Case } from "./cases.ts";

const MIN_SIZE_FOR_RATE = 1024 * 1024;

export interface Measured {
  readonly case: Case;
  readonly cairnMs: readonly number[];
  readonly bareMs: readonly number[];
}

/** The median of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** A Markdown table with one row per case: median latencies, rates of the larger bodies, and the ratio of the medians. */
export function table(measured: readonly Measured[]): string {
  const rows = measured.map(({ case: { title, size, samples }, cairnMs, bareMs }) => {
    const [cairn, bare] = [median(cairnMs), median(bareMs)];
    const rate = (ms: number): string => (size < MIN_SIZE_FOR_RATE ? "" : (size / 1e6 / (ms / 1e3)).toFixed(0));
    return [title, samples, cairn.toFixed(2), bare.toFixed(2), rate(cairn), rate(bare), (cairn / bare).toFixed(2)];
  });
  const head = ["", "samples", "Cairn ms", "bare ms", "Cairn MB/s", "bare MB/s", "Cairn / bare"];
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

// Writes what `npm run bench` measured: Markdown tables, docs/benchmarks.md and JSON.
import { cpus } from "node:os";
import { type Generator, leastHeadroom } from "./headroom.ts";
import type { Measurement } from "./measure.ts";
import { medianSample, ratioOf } from "./statistics.ts";

const MB = 1e6;

/** A complete run. */
export interface Run {
  readonly date: string;
  readonly rounds: number;
  /** Processes that other work kept running when the run began. */
  readonly load: number;
  readonly generator: Generator;
  readonly measurements: readonly Measurement[];
  readonly targets: readonly string[];
  /** The names of targets whose ratios are reported: one of Cairn's and another. */
  readonly pairs: readonly (readonly [cairn: string, other: string])[];
}

/** The tables of a run with the lines that explain them. */
export function text(run: Run): string {
  const { generator, measurements } = run;
  const { times, title } = leastHeadroom(generator, measurements);
  const rates = [...generator.perSecond].map(([at, perSecond]) => `${whole(perSecond)} at ${at}`).join(", ");
  return [
    `${run.date}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}, Node ${process.versions.node}, medians of ${run.rounds} interleaved rounds.`,
    `Other work on the machine: a load of ${run.load.toFixed(1)} when the run began.`,
    "",
    `Against a server that does nothing, the generator sends ${rates} requests a second, and ${whole(generator.bytesPerSecond / MB)} MB/s.`,
    `Its least head-room is ${times.toFixed(1)} times (${title}).`,
    "",
    "### Speed",
    "",
    "Operations a second, or MB/s where the request names MiB. A ratio above 1 means that Cairn is faster; in brackets are",
    "the least and the greatest ratio of a round.",
    "",
    speedTable(run),
    "",
    "### Latency and CPU",
    "",
    "Median and 99th percentile of an operation in milliseconds, and processor time of the server's process for each.",
    "",
    latencyTable(run),
    ...unsupportedLines(run),
  ].join("\n");
}

function speedTable({ measurements, targets, pairs }: Run): string {
  const head = ["", "at a time", ...targets, ...pairs.map(([cairn, other]) => `${cairn} / ${other}`)];
  const rows = measurements.map((measured) => [
    measured.title,
    String(measured.at),
    ...targets.map((name) => speed(measured, name)),
    ...pairs.map(([cairn, other]) => ratioText(measured, cairn, other)),
  ]);
  return table(head, rows);
}

function latencyTable({ measurements, targets }: Run): string {
  const head = ["", "at a time", ...targets.flatMap((name) => [`${name} ms`, `${name} CPU ms`])];
  const rows = measurements.map((measured) => [
    measured.title,
    String(measured.at),
    ...targets.flatMap((name) => {
      const samples = measured.samples[name];
      if (samples === undefined) return ["–", "–"];
      const { p50Ms, p99Ms, cpuMs } = medianSample(samples);
      return [`${figure(p50Ms)} / ${figure(p99Ms)}`, cpuMs === undefined ? "–" : figure(cpuMs)];
    }),
  ]);
  return table(head, rows);
}

function unsupportedLines({ measurements, targets }: Run): string[] {
  const lines = targets.flatMap((name) => {
    const titles = measurements.filter(({ unsupported }) => name in unsupported).map(({ title }) => title);
    return titles.length === 0 ? [] : [`- ${name}: ${[...new Set(titles)].join("; ")}`];
  });
  return lines.length === 0
    ? []
    : ["", "Not measured, because the server refuses it, fails or lacks the keys:", "", ...lines];
}

function speed({ samples, bytes }: Measurement, name: string): string {
  const rounds = samples[name];
  if (rounds === undefined) return "–";
  const { perSecond } = medianSample(rounds);
  return bytes === undefined ? figure(perSecond) : `${whole((perSecond * bytes) / MB)} MB/s`;
}

function ratioText(measured: Measurement, name: string, other: string): string {
  const ratio = ratioOf(measured, name, other);
  if (ratio === undefined) return "–";
  return `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)}–${ratio.greatest.toFixed(2)})`;
}

/** A Markdown table whose columns are aligned, as the formatter writes it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function figure(value: number): string {
  if (value >= 100) return whole(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The run as JSON: medians, ratios and every sample. */
export function json({ generator, measurements, pairs, ...run }: Run): string {
  const cases = measurements.map((measured) => ({
    ...measured,
    medians: Object.fromEntries(
      Object.entries(measured.samples).map(([name, samples]) => [name, medianSample(samples)]),
    ),
    ratios: Object.fromEntries(pairs.map(([cairn, other]) => [other, ratioOf(measured, cairn, other)])),
  }));
  const limits = { perSecond: Object.fromEntries(generator.perSecond), bytesPerSecond: generator.bytesPerSecond };
  return JSON.stringify({ ...run, generator: limits, cases }, undefined, 2);
}

/** The contents of docs/benchmarks.md. */
export function page(run: Run): string {
  return `# Benchmarks

\`npm run bench -- --write\` measures and writes this page. [Performance and costs](performance.md) explains the figures.

- **Cairn** has the settings of a deployment, and its blobs in the runtime's simulator of R2, like the bare Worker. The database has bodies of up to
  16 KiB (\`INLINE_MAX_BYTES\`).
- **Cairn on files** has its larger bodies in files, as \`npm start\` does. Its CPU time lacks the thread that has the files.
- **bare** is a Worker in the same runtime that makes only the storage calls that a request cannot do without: one D1 batch,
  one R2 call for a body, one Durable Object call for a change. It checks no signature, right, condition or checksum.
- **s3rver** is a development server in Node.js that stores files.

All requests to Cairn and s3rver are presigned. The servers and the generator share the machine's processors.

${text(run)}
`;
}

// `npm run bench`: how fast Cairn is beside a bare Worker that makes only the unavoidable storage calls, beside s3rver, and
// beside any S3 endpoint (`--peer`). `--quick` measures a few workloads and fails when one has become slower.
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { type Fall, fallOf, readBaseline, writeBaseline } from "./compare/baseline.ts";
import { measureGenerator } from "./compare/headroom.ts";
import { measure, type Measurement } from "./compare/measure.ts";
import { createBucket, emptyPeer, fillPeer, parsePeer, PEER_LISTED_KEYS } from "./compare/peers.ts";
import { json, page, type Run, text } from "./compare/report.ts";
import type { Workload } from "./compare/round.ts";
import { startS3rver } from "./compare/s3rver.ts";
import { INLINE, ON_FILES, serveInline, serveOnFiles, serveTargets } from "./compare/served-targets.ts";
import type { Target } from "./compare/target.ts";
import { workloads } from "./compare/workloads.ts";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

const USAGE = `Usage: npm run bench -- [options]
  --peer NAME=URL,KEY_ID,SECRET[,PID]  another S3 endpoint to measure; may be repeated
  --only ID,ID                         only these workloads
  --at N,N                             only these numbers of requests at a time
  --rounds N                           interleaved rounds (default 5)
  --keys N,N                           keys in the listed buckets (default 1000,100000)
  --no-s3rver                          without s3rver
  --inline BYTES                       a second Cairn with another INLINE_MAX_BYTES; 0: all bodies in R2
  --json                               print JSON
  --write                              write docs/benchmarks.md
  --quick                              few workloads beside the bare Worker; fails when a ratio fell by more than a quarter
  --write-baseline                     with --quick: write the ratios to compare with`;

const values = readCommandLine(USAGE, {
  peer: { type: "string", multiple: true, default: [] },
  only: { type: "string" },
  at: { type: "string" },
  rounds: { type: "string" },
  keys: { type: "string" },
  inline: { type: "string" },
  s3rver: { type: "boolean", default: true },
  json: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  "write-baseline": { type: "boolean", default: false },
});

const { quick } = values;
const rounds = Number(values.rounds ?? 5);
const scale = quick ? 0.2 : 1;
const listedKeys = (values.keys ?? (quick ? "1000" : "1000,100000")).split(",").map(Number);
const required = new Set(["Cairn", "bare"]);
const MOST_CONFIRMATIONS = 3;
const again = { rounds: 7, scale: 0.6, required };

/** The chosen workloads, each with a number of requests at a time. */
function chosen(): (readonly [Workload, number])[] {
  const ids = values.only?.split(",");
  const concurrencies = values.at?.split(",").map(Number);
  return workloads(listedKeys)
    .filter(({ id, quickAt }) => ids?.includes(id) ?? (!quick || quickAt !== undefined))
    .flatMap((workload) => {
      const at = quick && workload.quickAt !== undefined ? [workload.quickAt] : workload.at;
      return at.filter((each) => concurrencies?.includes(each) ?? true).map((each) => [workload, each] as const);
    });
}

async function startPeers(): Promise<{ peers: Target[]; foreign: Target[]; stop: () => void }> {
  const foreign = values.peer.map(parsePeer);
  if (!values.s3rver || quick) return { peers: foreign, foreign, stop: () => undefined };
  try {
    const { target, stop } = await startS3rver(PEER_LISTED_KEYS);
    return { peers: [target, ...foreign], foreign, stop };
  } catch (error) {
    console.error(`without s3rver: ${error instanceof Error ? error.message : String(error)}`);
    return { peers: foreign, foreign, stop: () => undefined };
  }
}

/** Measures a ratio that seems to have fallen again, up to three times and more thoroughly: no passing load may decide. */
async function confirmedFalls(measurements: readonly Measurement[], targets: readonly Target[]): Promise<Fall[]> {
  const baseline = readBaseline();
  const falls: Fall[] = [];
  for (const [index, [workload, at]] of chosen().entries()) {
    const measured = measurements[index];
    let fall = measured === undefined ? undefined : fallOf(measured, baseline);
    for (let attempt = 0; fall !== undefined && attempt < MOST_CONFIRMATIONS; attempt += 1) {
      fall = fallOf(await measure(workload, at, targets, again), baseline);
    }
    if (fall !== undefined) falls.push(fall);
  }
  return falls;
}

const [load = 0] = loadavg();
const served = await serveTargets(listedKeys);
const { peers, foreign, stop } = await startPeers();
// Other servers store files, so what is compared with them does too.
const onFiles = peers.length === 0 ? undefined : await serveOnFiles(PEER_LISTED_KEYS);
const inline = values.inline === undefined ? undefined : await serveInline(values.inline, PEER_LISTED_KEYS);
const rivals = [inline, onFiles].flatMap((each) => each?.target ?? []).concat(peers);
const targets = [served.cairn, served.bare, ...rivals];
try {
  await createBucket(served.cairn);
  for (const peer of rivals) {
    await createBucket(peer);
    await fillPeer(peer, listedKeys);
  }
  const generator = await measureGenerator([...new Set(chosen().map(([, at]) => at))], scale);
  const measurements: Measurement[] = [];
  for (const [workload, at] of chosen()) {
    process.stderr.write(`${workload.title} at ${at}\n`);
    measurements.push(await measure(workload, at, targets, { rounds, scale, required }));
  }
  const date = new Date().toISOString().slice(0, 10);
  const names = targets.map(({ name }) => name);
  const ofInline = inline === undefined ? [] : [[INLINE, "Cairn"] as const, [INLINE, "bare"] as const];
  const pairs = [["Cairn", "bare"] as const, ...ofInline, ...peers.map(({ name }) => [ON_FILES, name] as const)];
  const run: Run = { date, rounds, load, generator, measurements, targets: names, pairs };
  console.log(values.json ? json(run) : text(run));
  if (values.write) writeFileSync(join(PROJECT_ROOT, "docs", "benchmarks.md"), page(run));
  if (values["write-baseline"]) writeBaseline(measurements);
  else if (quick) {
    for (const { name, ratio, least } of await confirmedFalls(measurements, targets)) {
      console.error(`FAIL ${name}: Cairn / bare is ${ratio.toFixed(2)}, at least ${least.toFixed(2)} was expected`);
      process.exitCode = 1;
    }
  }
} finally {
  for (const peer of foreign) await emptyPeer(peer, listedKeys).catch((error: unknown) => console.error(error));
  stop();
  await onFiles?.stop();
  await inline?.stop();
  await served.stop();
}

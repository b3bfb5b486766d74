// `npm run bench:million`: fills a bucket with a million keys and measures what must not grow with them: a page of a
// listing, a count of the bucket, a pass of its lifecycle rules, and what requests feel of that pass. Bounds are on what
// was counted, wide ones on clocks; past one of them it fails. `--keys N` takes another number, `--quick` 50,000.
import { createHash } from "node:crypto";
import { Counts } from "../../src/state/d1/counts.ts";
import { Database } from "../../src/state/d1/database.ts";
import { lookUpUsage } from "../../src/state/metadata/usage.ts";
import { Requests } from "../crash/requests.ts";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import { openState } from "../../scripts/maintenance/open-state.ts";
import type { ServedCairn } from "../../scripts/serve/runtime.ts";
import { residentBytes } from "../../scripts/serve/workerd.ts";
import { HeapWatch } from "./heap.ts";
import { Load, type Latencies } from "./load.ts";
import * as population from "./population.ts";
import { Checks, count } from "./checks.ts";
import { CREDENTIALS } from "./signer.ts";
import { temporaryState } from "./temporary-state.ts";
import { serveMeasured } from "./serve-measured.ts";

const QUICK_KEYS = 50_000;
const BUCKET = "million";
const MiB = 1024 ** 2;
const QUIET_MS = 5000;
const SAMPLE_MS = 100;
const MAX_TICKS = 10_000;

const USAGE = "Usage: npm run bench:million -- [--keys N] [--quick]";
const values = readCommandLine(USAGE, {
  keys: { type: "string", default: "1000000" },
  quick: { type: "boolean", default: false },
});
const keys = values.quick ? QUICK_KEYS : Number(values.keys);
if (!Number.isInteger(keys) || keys < 1000) {
  console.error(USAGE);
  process.exit(2);
}

const state = temporaryState();
const checks = new Checks("million");

/** A line of the scheduled jobs' log. */
interface JobLine {
  readonly job: string;
  readonly steps: number;
  readonly isPassOver: boolean;
  readonly report: Readonly<Record<string, number>>;
  readonly ms: number;
  readonly d1RoundTrips: number;
  readonly d1RowsRead: number;
  readonly d1RowsWritten: number;
  readonly coordinatorCalls: number;
}

const jobLines: JobLine[] = [];

/** Serves the state while something is done with it. */
async function served(act: (requests: Requests, cairn: ServedCairn) => Promise<void>): Promise<void> {
  const cairn = await serveMeasured({
    state,
    bindings: {
      SERVER_TIMING: "true",
      // The rows are copies of one whose blob is in the store.
      INLINE_MAX_BYTES: "0",
    },
    isInspected: true,
    onLog: (line) => {
      // The output also contains lines of the runtime.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      if (line.startsWith('{"level"') && line.includes('"job"')) jobLines.push(JSON.parse(line) as JobLine);
      else process.stderr.write(`${line}\n`);
    },
  });
  try {
    await act(new Requests(cairn.url, CREDENTIALS), cairn);
  } finally {
    await cairn.stop();
  }
}

interface Asked {
  readonly text: string;
  readonly ms: number;
  readonly roundTrips: number;
  readonly rowsRead: number;
}

/** Sends a request that must succeed, and returns its cost. */
async function ask(requests: Requests, method: string, target: string, body?: string): Promise<Asked> {
  const began = performance.now();
  const { status, headers, body: answer } = await requests.send(method, target, md5Of(body), body);
  const text = answer.toString();
  if (status !== 200) throw new Error(`${method} ${target}: ${status ?? "no answer"} ${text}`);
  const [, trips, rows] = /(\d+) round trips, (\d+) rows read/.exec(headers.get("server-timing") ?? "") ?? [];
  return { text, ms: performance.now() - began, roundTrips: Number(trips), rowsRead: Number(rows) };
}

function md5Of(body: string | undefined): Readonly<Record<string, string>> {
  return body === undefined ? {} : { "content-md5": createHash("md5").update(body).digest("base64") };
}

async function makeBucket(requests: Requests): Promise<void> {
  await ask(requests, "PUT", `/${BUCKET}`);
  const versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await ask(requests, "PUT", `/${BUCKET}?versioning`, versioning);
  for (const body of ["older", "newer"]) await ask(requests, "PUT", `/${BUCKET}/${population.TEMPLATE_KEY}`, body);
}

/** Fills the bucket and counts it as a request for its usage does, with a clock on each statement. */
async function fillBucket(): Promise<void> {
  const open = await openState(state);
  try {
    const began = performance.now();
    await population.fill(open.database, keys, Date.now());
    console.log(`filled with ${count(keys)} keys in ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const database = new Database(open.database, new Counts());
    let longest = 0;
    for (let from: string | undefined = ""; from !== undefined;) {
      const start = performance.now();
      ({ next: from } = await database.look(lookUpUsage(BUCKET, { prefix: "", from })));
      longest = Math.max(longest, performance.now() - start);
    }
    checks.atMost("longest statement of a count of the bucket", longest, 1000, "ms");
  } finally {
    await open.close();
  }
}

async function measureReads(requests: Requests): Promise<void> {
  const list = `/${BUCKET}?list-type=2&delimiter=/`;
  const top = await ask(requests, "GET", list);
  const folders = top.text.split("<CommonPrefixes>").length - 1;
  checks.exactly("folders at the top", folders, population.TOP_FOLDERS);
  checks.atMost("rows read to list the top folders", top.rowsRead, 50);
  checks.atMost("time to list the top folders", top.ms, 2000, "ms");

  const page = await ask(requests, "GET", `${list}&prefix=data/`);
  const entries = page.text.split("<CommonPrefixes>").length - 1;
  checks.atMost(`rows read to list ${count(entries)} folders`, page.rowsRead, 5 * entries + 20);
  checks.atMost(`time to list ${count(entries)} folders`, page.ms, 2000, "ms");

  const usage = await ask(requests, "GET", `/${BUCKET}?usage`);
  const { objects, versions } = population.populationOf(keys);
  checkUsage("before", usage.text, population.populationOf(keys));
  checks.atMost("rows read by ?usage for each row", usage.rowsRead / (objects + versions), 3);
  checks.atMost("D1 calls of ?usage", usage.roundTrips, Math.ceil((objects + versions) / 10_000) + 5);
  checks.atMost("time of ?usage for each 100,000 rows", (usage.ms / (objects + versions)) * 1e5, 3000, "ms");
}

function checkUsage(when: string, text: string, expected: population.Population): void {
  const figure = (name: string): number => Number(new RegExp(`<${name}><Count>(\\d+)`).exec(text)?.[1]);
  checks.exactly(`objects ${when}`, figure("Objects"), expected.objects);
  checks.exactly(`noncurrent versions ${when}`, figure("NoncurrentVersions"), expected.versions);
  checks.exactly(`delete markers ${when}`, figure("DeleteMarkers"), expected.deleteMarkers);
}

/** The most memory that was in use during the pass, in bytes. */
interface Memory {
  readonly heap: number;
  readonly resident: number;
}

/** Runs the schedule until the lifecycle pass is over. */
async function runPass(cairn: ServedCairn): Promise<Memory> {
  const pid = cairn.workerdPid();
  const heap = await HeapWatch.start(await cairn.inspectorUrl());
  let peak = 0;
  const sampling = setInterval(() => {
    if (pid !== undefined) peak = Math.max(peak, residentBytes(pid));
  }, SAMPLE_MS);
  try {
    for (let tick = 0; tick < MAX_TICKS; tick += 1) {
      await cairn.runScheduled("*/5 * * * *");
      if (jobLines.some(({ job, isPassOver }) => job === "lifecycle" && isPassOver)) {
        if (heap.peak === 0) throw new Error("the inspector reported nothing");
        return { heap: heap.peak, resident: peak };
      }
    }
    throw new Error("the lifecycle pass does not end");
  } finally {
    heap.stop();
    clearInterval(sampling);
  }
}

function checkPass({ heap, resident }: Memory): void {
  const ticks = jobLines.filter(({ job }) => job === "lifecycle");
  const sum = (of: (line: JobLine) => number | undefined): number =>
    ticks.reduce((total, line) => total + (of(line) ?? 0), 0);
  const seen = sum(({ report }) => report["seen"]);
  const { deleteMarkersMade, versionsRemoved } = population.actsOn(keys);
  const acts = deleteMarkersMade + versionsRemoved;
  const seconds = sum(({ ms }) => ms) / 1000;
  console.log(`lifecycle: ${count(seen)} rows seen in ${ticks.length} ticks, ${count(seen / seconds)} a second`);
  checks.exactly(
    "delete markers made",
    sum(({ report }) => report["deleteMarkersMade"]),
    deleteMarkersMade,
  );
  checks.exactly(
    "versions removed",
    sum(({ report }) => report["versionsRemoved"]),
    versionsRemoved,
  );
  checks.exactly(
    "rows changed meanwhile or failed",
    sum(({ report }) => (report["changedMeanwhile"] ?? 0) + (report["failed"] ?? 0)),
    0,
  );
  const rowsRead = sum((line) => line.d1RowsRead);
  const calls = sum((line) => line.d1RoundTrips);
  console.log(`           ${count(calls)} D1 calls, ${count(rowsRead)} rows read, ${count(acts)} versions changed`);
  checks.atMost("D1 calls for each 1000 rows seen", (calls / seen) * 1000, 40);
  checks.atMost("rows read for each row seen", rowsRead / seen, 20);
  checks.atMost("heap of Cairn's isolate", heap / MiB, 100, "MiB");
  // A dozen isolates with the simulators in them, none of which has a limit that would make it tidy up soon.
  checks.atMost("resident memory of the runtime and its simulators", resident / MiB, 1024, "MiB");
}

function checkOthers(): void {
  const others = jobLines.filter(({ job }) => job !== "lifecycle");
  const most = others.reduce((worst, line) => Math.max(worst, line.d1RowsRead), 0);
  checks.atMost("rows read by another job in a tick", most, 50_000);
}

function checkLatencies(quiet: Latencies, busy: Latencies): void {
  console.log(`requests:  quiet ${quiet.text()}\n           during the pass ${busy.text()}`);
  // On a machine that is busy with other things requests are slow without a pass too.
  checks.atMost("p99 of a GET during the pass", busy.get(99), Math.max(1000, 5 * quiet.get(99)), "ms");
  checks.atMost("p99 of a PUT during the pass", busy.put(99), Math.max(1000, 5 * quiet.put(99)), "ms");
}

try {
  await served(makeBucket);
  await fillBucket();
  await served(async (requests, cairn) => {
    await measureReads(requests);
    const load = new Load(`${cairn.url}/${BUCKET}`);
    await load.prepare();
    const quiet = await load.during(() => new Promise((resolve) => setTimeout(resolve, QUIET_MS)));
    await ask(requests, "PUT", `/${BUCKET}?lifecycle`, population.lifecycleDocument());
    let memory: Memory = { heap: 0, resident: 0 };
    const busy = await load.during(async () => {
      memory = await runPass(cairn);
    });
    checkPass(memory);
    checkOthers();
    checkLatencies(quiet, busy);
    const left = population.leftOf(keys);
    const { text } = await ask(requests, "GET", `/${BUCKET}?usage`);
    checkUsage("after", text, { ...left, objects: left.objects + load.objects });
  });
} finally {
  console.log(checks.summary());
}
process.exit(checks.failed === 0 ? 0 : 1);

// `npm run bench:front-door`: what Hono costs as the entry of all requests. Serves Cairn twice, with Hono and with plain
// functions in its place, sends both the same requests in alternating rounds, and fails if Hono is over 2 % slower.
import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MeasuringClient } from "./client.ts";
import { type PairedRatios, isExact, pairedRatios } from "./paired-ratios.ts";
import { median } from "./compare/statistics.ts";
import { type PreparedRequest, signedRequest } from "./signer.ts";
import { readCommandLine } from "../../scripts/project/command-line.ts";
import type { ServedCairn } from "../../scripts/serve/runtime.ts";
import { serveMeasured } from "./serve-measured.ts";

const BODY = randomBytes(1024);
const METHODS = ["GET", "HEAD", "PUT"] as const;
/** The bursts of a round and side. A burst is as many requests as are open at a time. */
const BURSTS = { 1: 32, 16: 6 } as const;
const CONCURRENCIES = [1, 16] as const;
const WARM_UP_ROUNDS = 10;
const LEAST_RATIO = 0.98;
/** A case ends once the median of the processor time is known this exactly. */
const MARGIN = 0.01;

interface Case {
  readonly method: (typeof METHODS)[number];
  /** How many requests are open at a time. */
  readonly concurrency: (typeof CONCURRENCIES)[number];
}

/** One of the two compared servers. */
interface Side {
  readonly served: ServedCairn;
  /** The runtime's process. */
  readonly pid: number;
  readonly clients: readonly MeasuringClient[];
}

const { rounds, control } = readCommandLine("Usage: npm run bench:front-door -- [--rounds N] [--control]", {
  /** The most rounds of a case. */
  rounds: { type: "string", default: "800" },
  /** Compares Hono with itself, to show what the machine's noise amounts to. */
  control: { type: "boolean", default: false },
});

async function serve(main?: string): Promise<Side> {
  const served = await serveMeasured(main === undefined ? {} : { main });
  const clients = Array.from({ length: Math.max(...CONCURRENCIES) }, () => new MeasuringClient());
  for (const request of [
    await signedRequest("PUT", `${served.url}/bench`),
    await signedRequest("PUT", `${served.url}/bench/read`, BODY),
  ]) {
    await clients[0]?.exchange(request);
  }
  return { served, pid: served.workerdPid() ?? Number.NaN, clients };
}

/** What a burst of requests takes, in milliseconds. */
interface Cost {
  readonly elapsed: number;
  /** Processor time of the runtime. */
  readonly processor: number;
}

/** The signed requests of one round, by burst. */
function signedBursts({ served }: Side, { method, concurrency }: Case): Promise<PreparedRequest[][]> {
  const run = randomBytes(6).toString("hex");
  const requestOf = (index: number): Promise<PreparedRequest> =>
    method === "PUT"
      ? signedRequest(method, `${served.url}/bench/${run}-${index}`, BODY)
      : signedRequest(method, `${served.url}/bench/read`);
  return Promise.all(
    Array.from({ length: BURSTS[concurrency] }, (_, burst) =>
      Promise.all(Array.from({ length: concurrency }, (_, index) => requestOf(burst * concurrency + index))),
    ),
  );
}

async function measureBurst({ pid, clients }: Side, requests: readonly PreparedRequest[]): Promise<Cost> {
  const [start, processorStart] = [performance.now(), processorMs(pid)];
  await Promise.all(requests.map((request, index) => clients[index]?.exchange(request)));
  return { elapsed: performance.now() - start, processor: processorMs(pid) - processorStart };
}

/** One round: the ratios of what a burst typically costs with plain functions and with Hono. */
async function measureRound(hono: Side, plain: Side, one: Case): Promise<Record<keyof Cost, number>> {
  const ofHono: Cost[] = [];
  const ofPlain: Cost[] = [];
  const bursts = { hono: await signedBursts(hono, one), plain: await signedBursts(plain, one) };
  for (const [index, burst] of bursts.hono.entries()) {
    const turns = [
      async () => ofHono.push(await measureBurst(hono, burst)),
      async () => ofPlain.push(await measureBurst(plain, bursts.plain[index] ?? [])),
    ];
    // Neither side always comes after the other.
    if (index % 2 === 1) turns.reverse();
    for (const turn of turns) await turn();
  }
  const ratio = (measure: keyof Cost): number =>
    median(ofPlain.map((cost) => cost[measure])) / median(ofHono.map((cost) => cost[measure]));
  return { elapsed: ratio("elapsed"), processor: ratio("processor") };
}

/** The ratios of many rounds. Above 1, Hono is faster. */
async function compare(hono: Side, plain: Side, one: Case): Promise<Record<keyof Cost, PairedRatios>> {
  const elapsed: number[] = [];
  const processor: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < Number(rounds); round += 1) {
    const ratios = await measureRound(hono, plain, one);
    if (round < 0) continue;
    elapsed.push(ratios.elapsed);
    processor.push(ratios.processor);
    // Other load of the machine affects the processor time least, so that decides when to end.
    if (isExact(processor, MARGIN)) break;
  }
  return { elapsed: pairedRatios(elapsed), processor: pairedRatios(processor) };
}

const hono = await serve();
const plain = await serve(control ? undefined : join(import.meta.dirname, "plain-worker.ts"));
try {
  console.log(
    "| requests | measure | rounds | median ratio | 95 % interval of the median | middle half of the rounds |",
  );
  console.log("| --- | --- | ---: | ---: | ---: | ---: |");
  for (const method of METHODS) {
    for (const concurrency of CONCURRENCIES) {
      for (const [measure, ratios] of Object.entries(await compare(hono, plain, { method, concurrency }))) {
        const { count, interval, quartiles } = ratios;
        const figures = [count, ratios.median.toFixed(3), range(interval), range(quartiles)];
        console.log(`| ${[`${method} 1 KiB, ${concurrency} at a time`, measure, ...figures].join(" | ")} |`);
        if (ratios.median < LEAST_RATIO) process.exitCode = 1;
      }
    }
  }
} finally {
  for (const { served, clients } of [hono, plain]) {
    for (const client of clients) client.close();
    await served.stop();
  }
}

function range([low, high]: readonly [number, number]): string {
  return `${low.toFixed(3)} – ${high.toFixed(3)}`;
}

/** Time that a process has spent on processors, in milliseconds. */
function processorMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}

// `npm run bench:edge`: what distance costs a reader, with D1 and R2 some milliseconds away from the Worker, or the Worker
// from the reader. `--write` puts the tables into docs/edge-cache.md. `--quick` measures one distance. Both fail if a load
// costs another number of reads than expected, a warm read of a delivery host takes a round trip to D1 or R2, or readers of
// a cold object do not share its read.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { replaceSection } from "../../../scripts/docs/sections.ts";
import { readCommandLine } from "../../../scripts/project/command-line.ts";
import { table } from "../compare/report.ts";
import { DISTANCE_HEADER, type Calls } from "./distance.ts";
import { firstByteMs, readsPerSecond, type Read } from "./reader.ts";
import { openRelay } from "./relay.ts";
import { serveEdgeTargets, type EdgeTarget } from "./targets.ts";
import { zipfReads } from "./zipf.ts";

const PAGE = "docs/edge-cache.md";
const FAR_MS = 100;
const BODY = Buffer.alloc(16 * 1024, "cairn");
const CONNECTIONS = 16;
const COLD_READERS = 100;
const MAX_COLD_CALLS = 10;
const ZIPF_KEYS = 300;
const ZIPF_READS = 1000;
const ZIPF = zipfReads(ZIPF_KEYS, ZIPF_READS);
const ZIPF_DISTINCT = new Set(ZIPF).size;
/** Fills of the cache end after the responses. */
const FILL_MS = 300;

const USAGE = `Usage: npm run bench:edge -- [--quick] [--write]

  --quick   one distance and few objects
  --write   write the tables of docs/edge-cache.md
  --help    this text`;

const values = readCommandLine(USAGE, {
  write: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
});
const DISTANCES_MS = values.quick ? [FAR_MS] : [10, 50, FAR_MS];
const OBJECTS = values.quick ? 5 : 15;
const RATE_MS = values.quick ? 300 : 2000;
const targets = await serveEdgeTargets();
const { bare, strict, uncached, delivery } = targets;

/** A read with D1 and R2 at a distance from the Worker. */
function atDistance({ url, headers }: Read, distanceMs: number): Read {
  return { url, headers: { ...headers, [DISTANCE_HEADER]: String(distanceMs) } };
}

let runs = 0;

interface FirstBytes {
  /** First-byte times of objects that are read for the first time. */
  readonly cold: number;
  /** Those of the third reads: the second one confirms the blob that the next read begins with. */
  readonly warm: number;
  /** The calls of D1 and R2 of all the third reads. */
  readonly warmCalls: number;
}

async function firstBytes(target: EdgeTarget, through: string, distanceMs: number): Promise<FirstBytes> {
  runs += 1;
  const keys = Array.from({ length: OBJECTS }, (_, index) => `first-${runs}/${index}`);
  for (const key of keys) await target.put(key, BODY);
  // The Worker's first reads compile code, and know nothing of the bucket.
  await target.put(`warm-up-${runs}`, BODY);
  const warmUp = atDistance(await target.read(`warm-up-${runs}`, through), 0);
  for (let times = 0; times < 3; times += 1) await firstByteMs([warmUp]);
  const reads: Read[] = [];
  for (const key of keys) reads.push(atDistance(await target.read(key, through), distanceMs));
  const cold = await firstByteMs([warmUp, ...reads]);
  await pause(FILL_MS);
  await firstByteMs(reads);
  await target.calls();
  const warm = await firstByteMs([warmUp, ...reads]);
  const { d1, r2 } = await target.calls();
  return { cold, warm, warmCalls: d1 + r2 };
}

async function distanceRows(distanceMs: number): Promise<string[][]> {
  const relay = await openRelay(bare.url, distanceMs);
  const cairnRelay = await openRelay(strict.url, distanceMs);
  const rows: string[][] = [];
  const measured = [
    ["the bare Worker near the reader", bare, bare.url, distanceMs],
    ["the bare Worker near D1", bare, relay.url, 0],
    ["strict, near the reader", strict, strict.url, distanceMs],
    ["strict, near D1", strict, cairnRelay.url, 0],
    ["strict without the cache, near the reader", uncached, uncached.url, distanceMs],
    ["delivery, near the reader", delivery, delivery.url, distanceMs],
  ] as const;
  for (const [name, target, through, toStorageMs] of measured) {
    const { cold, warm, warmCalls } = await firstBytes(target, through, toStorageMs);
    await target.put("hot", BODY);
    const hot = atDistance(await target.read("hot", through), toStorageMs);
    await firstByteMs([hot]);
    await pause(FILL_MS);
    const rate = await readsPerSecond(hot, CONNECTIONS, RATE_MS);
    // A few may be those that read the bucket's settings again.
    if (target === delivery && warmCalls >= OBJECTS) throw new Error(`${OBJECTS} warm reads took ${warmCalls} calls`);
    rows.push([`${distanceMs} ms`, name, cold.toFixed(0), warm.toFixed(0), rate.toFixed(0)]);
  }
  relay.close();
  cairnRelay.close();
  return rows;
}

// A delivery host reads its bucket's settings again every ten seconds.
const REFRESH_MS = 10_000;

/** Calls for a thousand reads by Zipf's law, of objects that were never read before. @throws Error if others are expected */
async function zipfRow(target: EdgeTarget, expected: Calls): Promise<string[]> {
  for (let key = 0; key < ZIPF_KEYS; key += 1) await target.put(`zipf-${target.name}/${key}`, BODY);
  await target.calls();
  const start = performance.now();
  for (const index of ZIPF) await firstByteMs([await target.read(`zipf-${target.name}/${index}`, target.url)]);
  const { d1, r2 } = await target.calls();
  const refreshes = target.name === "delivery" ? 2 * Math.ceil((performance.now() - start) / REFRESH_MS) + 2 : 0;
  const isExpected = d1 >= expected.d1 && d1 <= expected.d1 + refreshes && r2 === expected.r2;
  if (!isExpected) throw new Error(`${target.name}: ${d1} reads of D1, ${r2} of R2`);
  return [target.name, String(d1), String(r2)];
}

/** Reads a cold object over many connections at once. @throws Error unless a few of them read D1 and R2 for all */
async function requireOneReadForAll(): Promise<void> {
  await delivery.put("cold", BODY);
  await delivery.calls();
  const cold = atDistance(await delivery.read("cold", delivery.url), FAR_MS);
  await Promise.all(Array.from({ length: COLD_READERS }, async () => firstByteMs([cold])));
  const { d1, r2 } = await delivery.calls();
  // A reader whose connection is late may find neither the read in progress nor its result.
  if (d1 + r2 > MAX_COLD_CALLS)
    throw new Error(`${COLD_READERS} readers of a cold object: ${d1} reads of D1, ${r2} of R2`);
}

try {
  const distances: string[][] = [];
  for (const distanceMs of DISTANCES_MS) distances.push(...(await distanceRows(distanceMs)));
  await requireOneReadForAll();
  const zipf = [
    await zipfRow(bare, { d1: ZIPF_READS, r2: ZIPF_READS }),
    await zipfRow(strict, { d1: ZIPF_READS, r2: ZIPF_DISTINCT }),
    await zipfRow(delivery, { d1: ZIPF_DISTINCT, r2: ZIPF_DISTINCT }),
  ];
  const text = [
    `Measured on ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}: medians of ${OBJECTS} objects of 16 KiB, and GETs a second of one`,
    `object over ${CONNECTIONS} connections.`,
    "",
    table(["reader to D1 and R2", "", "cold, ms", "warm, ms", "GETs a second"], distances),
    "",
    `D1 and R2 reads for ${ZIPF_READS} GETs of ${ZIPF_KEYS} keys by Zipf's law (${ZIPF_DISTINCT} of them are read), from an empty cache and`,
    "within one lifetime of the delivery host's entries:",
    "",
    table(["", "D1 reads", "R2 reads"], zipf),
  ].join("\n");
  console.log(text);
  if (values.write) writeFileSync(PAGE, replaceSection(readFileSync(PAGE, "utf8"), "distances", text));
} finally {
  await targets.stop();
}

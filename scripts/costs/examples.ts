// Three months of use, priced: by Cairn's counted calls, at R2's own S3 API and at AWS.
import { PARTS } from "./operations.ts";
import { perPart, tallyOf, type Counts } from "./per-part.ts";
import { ASSUMED, CLOUDFLARE, CLOUDFRONT, PLAN, S3, STORAGE } from "./prices.ts";
import type { PriceClass } from "./site.ts";
import { NOTHING, plus, type Tally } from "./tally.ts";

export interface Example {
  readonly title: string;
  readonly text: string;
  /** How often each counted operation is called. */
  readonly calls: Readonly<Record<string, number>>;
  /** Parts of each multipart object, where there are such. */
  readonly partsOfObject?: number;
  readonly storedGb: number;
  readonly objects: number;
  readonly gbOut: number;
  /** Bytes that clients upload. */
  readonly gbIn: number;
  /** Whether AWS would deliver through CloudFront, with this share of hits. */
  readonly cloudFrontHits?: number;
}

export const EXAMPLES: readonly Example[] = [
  {
    title: "A site's assets",
    text: "200,000 files, 20 GB. 50 million reads of 60 KB (3 TB out) from a delivery host, 95 % of them from its cache, 100,000 files written over older ones.",
    calls: { "delivery-miss": 2.5e6, "delivery-hit": 47.5e6, "put-over": 100e3 },
    storedGb: 20,
    objects: 200e3,
    gbOut: 3000,
    gbIn: 10,
    cloudFrontHits: 0.95,
  },
  {
    title: "A backup of 1 TB",
    text: "restic with packs of 16 MB: 62,500 packs stored, 40,000 new ones and 38,000 deleted ones a month, a check that reads a tenth, 3,000 lists.",
    calls: { put: 40e3, delete: 38e3, get: 6250, list: 3000, head: 50e3 },
    storedGb: 1000,
    objects: 62_500,
    gbOut: 100,
    gbIn: 640,
  },
  {
    title: "ML checkpoints",
    text: "500 checkpoints of 50 GB a month in 556 parts of 90 MB, the last 20 kept (1 TB), 40 restored outside of the cloud (2 TB out).",
    calls: { create: 500, part: 278e3, complete: 500, "get-parts": 40, delete: 500, list: 1000 },
    partsOfObject: 556,
    storedGb: 1000,
    objects: 20,
    gbOut: 2000,
    gbIn: 25_000,
  },
];

interface Line {
  readonly title: string;
  readonly units: number;
  readonly billed: number;
  readonly usd: number;
}

export interface Month {
  readonly lines: readonly Line[];
  readonly cairn: number;
  readonly r2: number;
  readonly s3: number;
  readonly cloudFront: number | undefined;
}

/** The bills of a month. */
export function monthOf(example: Example, counts: Counts): Month {
  const tally = tallyOfMonth(example, counts);
  const cpuMs = tally.requests * ASSUMED.cpuMs + example.gbIn * 1000 * ASSUMED.cpuMsPerMegabyte;
  const gbSeconds = tally.coordinatorCalls * ASSUMED.coordinatorSeconds * ASSUMED.coordinatorGb;
  const used: Readonly<Record<keyof typeof CLOUDFLARE, number>> = { ...tally, cpuMs, gbSeconds };
  const lines = [
    ...meters().map((name) =>
      line(CLOUDFLARE[name].title, used[name], CLOUDFLARE[name].included, CLOUDFLARE[name].perMillion / 1e6),
    ),
    line("R2 storage, GB", example.storedGb, STORAGE.r2.includedGb, STORAGE.r2.perGb),
    line("D1 storage, GB", (example.objects * ASSUMED.bytesPerObject) / 1e9, STORAGE.d1.includedGb, STORAGE.d1.perGb),
  ];
  const { reads, writes } = classesOf(example, counts);
  return {
    lines: lines.filter(({ units }) => units >= 1),
    cairn: PLAN + sum(lines.map(({ usd }) => usd)),
    r2: sum([
      line("", writes.r2, CLOUDFLARE.classA.included, CLOUDFLARE.classA.perMillion / 1e6).usd,
      line("", reads.r2, CLOUDFLARE.classB.included, CLOUDFLARE.classB.perMillion / 1e6).usd,
      line("", example.storedGb, STORAGE.r2.includedGb, STORAGE.r2.perGb).usd,
    ]),
    s3: s3Bill(example, reads.s3, writes.s3, example.gbOut),
    cloudFront: cloudFrontBill(example, reads.s3, writes.s3),
  };
}

/** A month's calls: a multipart object costs more than the counted one, by as many parts as it has more. */
function tallyOfMonth({ calls, partsOfObject }: Example, counts: Counts): Tally {
  let month = NOTHING;
  for (const [id, times] of Object.entries(calls)) month = plus(month, tallyOf(counts, id), times);
  if (partsOfObject === undefined) return month;
  const more = partsOfObject - PARTS;
  month = plus(month, perPart(counts).completion, (calls["complete"] ?? 0) * more);
  return plus(month, perPart(counts).read, (calls["get-parts"] ?? 0) * more);
}

function classesOf({ calls }: Example, counts: Counts) {
  const total = (side: "r2" | "s3", classes: readonly PriceClass[]): number =>
    sum(
      Object.entries(calls).map(([id, times]) => {
        const operation = counts.get(id)?.operation;
        return operation !== undefined && classes.includes(operation[side]) ? times : 0;
      }),
    );
  // Without a delivery host, each of its answers is a read.
  const reads: readonly PriceClass[] = ["read", "delivered", "fetched"];
  return {
    reads: { r2: total("r2", reads), s3: total("s3", reads) },
    writes: { r2: total("r2", ["write"]), s3: total("s3", ["write"]) },
  };
}

function s3Bill({ storedGb }: Example, reads: number, writes: number, gbOut: number): number {
  const traffic = Math.max(0, gbOut - S3.includedGbOut) * S3.perGbOut;
  return (reads * S3.read + writes * S3.write) / 1e6 + storedGb * STORAGE.s3.perGb + traffic;
}

/** Traffic from S3 to CloudFront is free; its requests are not. */
function cloudFrontBill(example: Example, reads: number, writes: number): number | undefined {
  const { cloudFrontHits, gbOut } = example;
  if (cloudFrontHits === undefined) return undefined;
  const requests = line("", reads, CLOUDFRONT.included, CLOUDFRONT.perMillion / 1e6).usd;
  const traffic = line("", gbOut, CLOUDFRONT.includedGbOut, CLOUDFRONT.perGbOut).usd;
  return s3Bill(example, reads * (1 - cloudFrontHits), writes, 0) + requests + traffic;
}

function line(title: string, units: number, included: number, price: number): Line {
  const billed = Math.max(0, units - included);
  return { title, units, billed, usd: billed * price };
}

function meters(): (keyof typeof CLOUDFLARE)[] {
  // The keys of a constant object.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.keys(CLOUDFLARE) as (keyof typeof CLOUDFLARE)[];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

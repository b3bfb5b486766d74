// Turns counts and prices into the tables of docs/costs.md.
import type { Counted } from "./count.ts";
import { EXAMPLES, monthOf, type Example } from "./examples.ts";
import { PACKED, PACKING } from "./packing.ts";
import { countedOf, tallyOf, type Counts } from "./per-part.ts";
import { ASSUMED, CLOUDFLARE, CLOUDFRONT, PRICES_OF, S3, SOURCES, STORAGE, type Price } from "./prices.ts";
import type { PriceClass } from "./site.ts";

const R2_PRICES: Readonly<Record<PriceClass, number | undefined>> = {
  write: CLOUDFLARE.classA.perMillion,
  read: CLOUDFLARE.classB.perMillion,
  delivered: 0,
  fetched: CLOUDFLARE.classB.perMillion,
  free: 0,
  none: undefined,
};
const S3_PRICES: Readonly<Record<PriceClass, number | undefined>> = {
  write: S3.write,
  read: S3.read,
  delivered: CLOUDFRONT.perMillion,
  fetched: CLOUDFRONT.perMillion + S3.read,
  free: 0,
  none: undefined,
};

/** Dollars for a million of an operation, by where they go. */
export function pricesOf({ operation, tally }: Counted) {
  const cpuMs = tally.requests * ASSUMED.cpuMs + ((operation.bytes ?? 0) / 1e6) * ASSUMED.cpuMsPerMegabyte;
  const gbSeconds = tally.coordinatorCalls * ASSUMED.coordinatorSeconds * ASSUMED.coordinatorGb;
  const worker = tally.requests * CLOUDFLARE.requests.perMillion + cpuMs * CLOUDFLARE.cpuMs.perMillion;
  const coordinator =
    tally.coordinatorCalls * CLOUDFLARE.coordinatorCalls.perMillion + gbSeconds * CLOUDFLARE.gbSeconds.perMillion;
  const rows = tally.rowsRead * CLOUDFLARE.rowsRead.perMillion + tally.rowsWritten * CLOUDFLARE.rowsWritten.perMillion;
  const blobs = tally.classA * CLOUDFLARE.classA.perMillion + tally.classB * CLOUDFLARE.classB.perMillion;
  const log = tally.logEvents * CLOUDFLARE.logEvents.perMillion;
  return { worker, coordinator, rows, blobs, log, sum: worker + coordinator + rows + blobs };
}

/** The table of dollars for a million of each operation. */
export function operationTable(counts: Counts): string {
  const requested = Array.from(counts.values()).filter(({ tally }) => tally.requests > 0);
  const rows = Array.from(requested, (counted) => {
    const { operation, tally } = counted;
    const { worker, coordinator, rows, blobs, log, sum } = pricesOf(counted);
    return [
      operation.title,
      `${tally.rowsRead} / ${tally.rowsWritten}`,
      tally.coordinatorCalls,
      `${tally.classA} / ${tally.classB}`,
      ...[worker, coordinator, rows, blobs].map(dollars),
      `**${dollars(sum)}**`,
      dollars(log),
      dollars(R2_PRICES[operation.r2]),
      dollars(S3_PRICES[operation.s3]),
    ];
  });
  const head = [
    "operation",
    "D1 rows read / written",
    "DO calls",
    "R2 Class A / B",
    "Worker, CPU",
    "DO",
    "D1",
    "R2",
    "**sum**",
    "if logged",
    "R2's own S3 API",
    "AWS S3",
  ];
  return markdown(head, rows);
}

/** What packing small bodies adds to their PUTs. */
export function packingText(counts: Counts): string {
  const { rowsWritten, classA } = tallyOf(counts, PACKING.id);
  const [packing, inline, stored] = [PACKING.id, "put-inline", "put"].map((id) => pricesOf(countedOf(counts, id)).sum);
  return [
    `Packing ${PACKED} bodies writes ${amount(rowsWritten * PACKED)} rows and makes ${amount(classA * PACKED)} Class A`,
    `call: $${dollars(packing)} for a million. So a million small objects cost $${dollars((inline ?? 0) + (packing ?? 0))}`,
    `and not $${dollars(stored)}.`,
  ].join(" ");
}

/** The prices and where they were read. */
export function priceTable(): string {
  const meters: readonly Price[] = Object.values(CLOUDFLARE);
  const rows = [
    ...meters.map(({ title, perMillion, included, source }) => [
      title,
      `$${perMillion} for a million`,
      amount(included),
      SOURCES[source],
    ]),
    ["R2 Standard storage", `$${STORAGE.r2.perGb} for a GB and month`, `${STORAGE.r2.includedGb} GB`, SOURCES.r2],
    ["D1 storage", `$${STORAGE.d1.perGb} for a GB and month`, `${STORAGE.d1.includedGb} GB`, SOURCES.d1],
    ["AWS S3 PUT, COPY, POST, LIST / GET", `$${S3.write} / $${S3.read} for a million`, "–", SOURCES.s3],
    [
      "AWS S3 storage / traffic to the Internet",
      `$${STORAGE.s3.perGb} / $${S3.perGbOut} for a GB`,
      `${S3.includedGbOut} GB of traffic`,
      SOURCES.s3,
    ],
    [
      "CloudFront requests / traffic",
      `$${CLOUDFRONT.perMillion} for a million / $${CLOUDFRONT.perGbOut} for a GB`,
      `${amount(CLOUDFRONT.included)} / ${CLOUDFRONT.includedGbOut} GB`,
      SOURCES.cloudFront,
    ],
  ];
  return markdown([`price of ${PRICES_OF}`, "USD", "included in a month", "source"], rows);
}

/** The monthly bills of the worked examples. */
export function exampleTables(counts: Counts): string {
  return EXAMPLES.map((example) => exampleTable(example, counts)).join("\n\n");
}

function exampleTable(example: Example, counts: Counts): string {
  const { lines, cairn, r2, s3, cloudFront } = monthOf(example, counts);
  const bills = [
    ["Cairn", cairn],
    ["R2's own S3 API", r2],
    ["AWS S3", s3],
    ...(cloudFront === undefined ? [] : [["AWS S3 behind CloudFront", cloudFront] as const]),
  ] as const;
  return [
    `### ${example.title}`,
    "",
    example.text,
    "",
    markdown(
      ["what Cairn uses in a month", "units", "above the included ones", "USD"],
      lines.map(({ title, units, billed, usd }) => [title, amount(units), amount(billed), dollars(usd)]),
    ),
    "",
    markdown(
      ["", "USD a month"],
      bills.map(([name, usd]) => [name, dollars(usd)]),
    ),
  ].join("\n");
}

function markdown(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function dollars(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(2);
}

function amount(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

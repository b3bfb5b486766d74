// Tests of how counts and prices become the tables of docs/costs.md, by hand-made counts. Run by `npm run test:deploy`;
// `npm run costs -- --check` counts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Counted } from "../../scripts/costs/count.ts";
import { EXAMPLES, monthOf, type Example } from "../../scripts/costs/examples.ts";
import { OPERATIONS } from "../../scripts/costs/operations.ts";
import { PACKING } from "../../scripts/costs/packing.ts";
import { perPart } from "../../scripts/costs/per-part.ts";
import { operationTable, packingText, priceTable, pricesOf } from "../../scripts/costs/tables.ts";
import { NOTHING, type Tally } from "../../scripts/costs/tally.ts";
import { PROJECT_ROOT } from "../../scripts/project/wrangler-toml.ts";

/** Operations with hand-made counts; all others cost nothing. */
function countsOf(tallies: Readonly<Record<string, Partial<Tally>>>): Map<string, Counted> {
  return new Map(
    OPERATIONS.map((operation) => [operation.id, { operation, tally: { ...NOTHING, ...tallies[operation.id] } }]),
  );
}

const page = readFileSync(join(PROJECT_ROOT, "docs", "costs.md"), "utf8");
const quiet: Example = { title: "", text: "", calls: {}, storedGb: 0, objects: 0, gbOut: 0, gbIn: 0 };

void describe("the costs", () => {
  void it("of a million are each unit's price, without the log", () => {
    const tally = {
      requests: 1,
      rowsRead: 1000,
      rowsWritten: 2,
      coordinatorCalls: 1,
      classA: 1,
      classB: 1,
      logEvents: 1,
    };
    const counted = countsOf({ head: tally }).get("head");
    assert.ok(counted !== undefined);
    const { worker, coordinator, rows, blobs, log, sum } = pricesOf(counted);
    // 0.30 and 3 ms of CPU; 0.15 and 20 ms of 128 MB; 1,000 rows read and two written; 4.50 and 0.36.
    const rounded = [worker, coordinator, rows, blobs, log].map((value) => Number(value.toFixed(3)));
    assert.deepEqual(rounded, [0.36, 0.182, 3, 4.86, 0.6]);
    assert.equal(sum.toFixed(3), "8.402");
  });

  void it("of a month are what exceeds the included quotas, and the plan", () => {
    const counts = countsOf({ get: { requests: 1, classB: 1 } });
    const idle = monthOf(quiet, counts);
    assert.deepEqual([idle.cairn, idle.r2, idle.s3, idle.cloudFront], [5, 0, 0, undefined]);
    const within = monthOf({ ...quiet, calls: { get: 10e6 }, storedGb: 10 }, counts);
    assert.deepEqual([within.cairn, within.r2], [5, 0]);
    // 10 million requests of 3 ms are the included CPU; 5 million more cost $1.50, $0.30 and $1.80.
    const beyond = monthOf({ ...quiet, calls: { get: 15e6 }, storedGb: 110, gbOut: 1100, cloudFrontHits: 0.9 }, counts);
    assert.equal(beyond.cairn.toFixed(2), (5 + 1.5 + 0.3 + 1.8 + 1.5).toFixed(2));
    assert.equal(beyond.r2.toFixed(2), (1.8 + 1.5).toFixed(2));
    assert.equal(beyond.s3.toFixed(2), (6 + 2.53 + 90).toFixed(2));
    assert.equal(beyond.cloudFront?.toFixed(2), (0.6 + 2.53 + 5 + 8.5).toFixed(2));
  });

  void it("of reads through a delivery host are those of as many reads elsewhere", () => {
    const counts = countsOf({});
    const month = { ...quiet, gbOut: 1100, cloudFrontHits: 0.9 };
    const delivered = monthOf({ ...month, calls: { "delivery-hit": 14e6, "delivery-miss": 1e6 } }, counts);
    const { r2, s3, cloudFront } = monthOf({ ...month, calls: { get: 15e6 } }, counts);
    assert.deepEqual([delivered.r2, delivered.s3, delivered.cloudFront], [r2, s3, cloudFront]);
  });

  void it("of a multipart object grow with its parts", () => {
    const counts = countsOf({
      complete: { rowsWritten: 14 },
      "complete-1": { rowsWritten: 5 },
      "get-parts": { classB: 10 },
      get: { classB: 1 },
    });
    assert.deepEqual([perPart(counts).completion.rowsWritten, perPart(counts).read.classB], [1, 1]);
    const month = monthOf({ ...quiet, calls: { complete: 1e6, "get-parts": 1e6 }, partsOfObject: 100 }, counts);
    const units = Object.fromEntries(month.lines.map(({ title, units: count }) => [title, Math.round(count)]));
    assert.deepEqual([units["D1 rows written"], units["R2 Class B"]], [104e6, 100e6]);
  });

  void it("of packing are those of one body in a full pack, beside those of its PUT", () => {
    const counts = countsOf({
      put: { requests: 1, classA: 1 },
      "put-inline": { requests: 1, rowsWritten: 2 },
    });
    counts.set(PACKING.id, { operation: PACKING, tally: { ...NOTHING, rowsWritten: 1.002, classA: 0.001 } });
    const text = packingText(counts);
    assert.match(text, /^Packing 1000 bodies writes 1,002 rows and makes 1 Class A call: \$1\.01 for a million\. /);
    assert.match(text, /cost \$3\.37 and not \$4\.86\.$/);
    assert.ok(!operationTable(counts).includes(PACKING.title));
  });

  void it("of the examples name counted operations only", () => {
    const known = new Set(OPERATIONS.map(({ id }) => id));
    assert.deepEqual(
      EXAMPLES.flatMap(({ calls }) => Object.keys(calls).filter((id) => !known.has(id))),
      [],
    );
  });

  void it("are on the page with their prices, and in README", () => {
    assert.ok(page.includes(priceTable()), "run `npm run costs`");
    assert.match(page, /Packing 1000 bodies writes [\d,]+ rows and makes 1 Class A call: \$\d/);
    for (const { title } of [...OPERATIONS, ...EXAMPLES]) assert.ok(page.includes(title), title);
    const priceOf = (title: string): string | undefined =>
      page
        .split("\n")
        .find((line) => line.startsWith(`| ${title} |`))
        ?.match(/\*\*([\d.]+)\*\*/)?.[1];
    const readme = readFileSync(join(PROJECT_ROOT, "README.md"), "utf8");
    const inReadme = Array.from(readme.matchAll(/^\| GET \/ PUT, ([^|]*?) +\| ([\d.]+) /gm), ([, of, price]) => [
      of,
      price,
    ]);
    assert.deepEqual(inReadme, [
      ["up to 16 KiB", priceOf("GetObject from the database")],
      ["larger", priceOf("GetObject")],
    ]);
  });
});
